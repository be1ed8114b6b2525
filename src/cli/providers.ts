import type { Command } from 'commander';
import type { Provider } from '../providers/provider.ts';
import { providers } from '../providers/providers.ts';
import { requireProvider } from './input/provider-name.ts';
import { printTable } from './output/table.ts';
import { print, printJson, type Session } from './session.ts';

interface ProvidersOptions {
  readonly json?: boolean;
  readonly names?: boolean;
}

/** Adds `evergrant providers`. */
export function addProvidersCommand(program: Command, session: Session): void {
  program
    .command('providers')
    .summary('list the provider profiles')
    .description('Lists the provider profiles that come with evergrant, or shows one of them.')
    .argument('[name]', 'profile to show')
    .option('--json', 'print JSON')
    .option('--names', 'print the names alone, one a line')
    .addHelpText('after', '\nExample:\n  evergrant providers perspio')
    .action((name: string | undefined, options: ProvidersOptions) =>
      name === undefined ? listAll(session, options) : showOne(session, name, options),
    );
}

async function listAll(session: Session, options: ProvidersOptions): Promise<void> {
  if (options.names === true) {
    for (const { name } of providers) print(session, name);
    return;
  }
  if (options.json === true) return printJson(session, providers);
  await printTable(
    session,
    providers.map(({ name, title, rotation, documentation }) => ({
      name,
      title,
      rotation,
      documentation,
    })),
  );
}

function showOne(session: Session, name: string, options: ProvidersOptions): void {
  const provider = requireProvider(name, name);
  if (options.names === true) return print(session, provider.name);
  if (options.json === true) return printJson(session, provider);
  for (const [title, value] of factsOf(provider)) {
    if (value !== undefined && value !== '') print(session, `${title.padEnd(24)}${value}`);
  }
}

function factsOf(provider: Provider): readonly (readonly [string, string | undefined])[] {
  return [
    ['name', provider.name],
    ['title', provider.title],
    ['documentation', provider.documentation],
    ['issuer', provider.issuer],
    ['token endpoint', provider.tokenEndpoint],
    ['authorization endpoint', provider.authorizationEndpoint],
    ['device endpoint', provider.deviceAuthorizationEndpoint],
    ['Entra tenant', provider.entraTenantId],
    ['client authentication', provider.clientAuthentication],
    ['rotation', provider.rotation],
    ['scopes at sign-in', provider.scopes.authorization.join(' ')],
    ['scopes at refresh', provider.scopes.refresh?.join(' ')],
    ['scopes of the client', provider.scopes.clientCredentials.join(' ')],
    ['API', provider.api?.origins.join(' ')],
    ['headers of the API', Object.keys(provider.api?.headers ?? {}).join(', ')],
  ];
}
