import type { Command } from 'commander';
import { NotFoundError } from '../errors.ts';
import type { ClientStatus, Keeper } from '../keeper-api.ts';
import { chooseRegistration } from '../keeper/registration.ts';
import { parseInstant } from './input/instant.ts';
import { nearest } from './input/nearest.ts';
import { addSecretOptions, secretToAskFor, type OptionValues } from './input/secrets.ts';
import { differenceOf } from './output/client-differences.ts';
import { hint } from './output/failure.ts';
import { relativeTime } from './output/relative-time.ts';
import { printTable } from './output/table.ts';
import { printJson, tell, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

interface RemoveOptions {
  readonly tokenEndpoint?: string;
}

interface SetSecretOptions extends OptionValues {
  readonly tokenEndpoint?: string;
  readonly clientSecretExpires?: string;
}

/** Adds `evergrant client`. */
export function addClientCommand(program: Command, session: Session): void {
  const client = program
    .command('client')
    .summary('list registrations, replace a secret, remove one')
    .description(
      'Lists the registrations that connections use or have used, replaces their secrets, and removes those that none uses.',
    )
    .addHelpText('after', '\nExample:\n  evergrant client list');
  client
    .command('list')
    .description('Lists the registrations. Holds no secret.')
    .option('--json', 'print JSON, one array')
    .addHelpText('after', '\nExample:\n  evergrant client list --json')
    .action((options: { readonly json?: boolean }) => list(session, options.json === true));
  addSecretOptions(
    client
      .command('set-secret')
      .description('Replaces the secret of a registration. Its connections are tried again.')
      .argument('<client-id>', 'client id, as evergrant client list shows it'),
    'client-secret',
    'the new secret',
  )
    .option(
      '--client-secret-expires <when>',
      'when the secret ends, to be warned ahead: 2027-01-31, or in 180d',
    )
    .option('--token-endpoint <url>', 'which registration, where several have that client id')
    .addHelpText(
      'after',
      '\nExample:\n  evergrant client set-secret 0a1b… --client-secret-file new-secret.txt',
    )
    .action((clientId: string, options: SetSecretOptions) => setSecret(session, clientId, options));
  client
    .command('remove')
    .description('Forgets a registration that no connection uses, with its secret.')
    .argument('<client-id>', 'client id, as evergrant client list shows it')
    .option('--token-endpoint <url>', 'which registration, where several have that client id')
    .addHelpText('after', '\nExample:\n  evergrant client remove 0a1b…')
    .action((clientId: string, options: RemoveOptions) => remove(session, clientId, options));
}

async function list(session: Session, json: boolean): Promise<void> {
  const clients = await withKeeper(session, (keeper) => keeper.clients());
  if (json) return printJson(session, clients);
  if (clients.length === 0)
    return tell(session, 'no registrations yet; begin with evergrant connect');
  await printTable(
    session,
    clients.map((status) => rowOf(status, clients, session.clock.now())),
    (row) => (row['refused'] === '-' ? undefined : 'red'),
  );
}

function rowOf(
  client: ClientStatus,
  all: readonly ClientStatus[],
  now: number,
): Record<string, string> {
  const isTold = all.some((other) => differenceOf(other, all) !== undefined);
  return {
    'client id': client.clientId,
    provider: client.provider,
    'token endpoint': client.tokenEndpoint,
    ...(isTold && { 'differs by': differenceOf(client, all) ?? '-' }),
    secret: client.hasSecret ? 'held' : 'none',
    'secret expires': relativeTime(client.secretExpiresAt, now),
    refused:
      client.refusedAt === undefined
        ? '-'
        : `${relativeTime(client.refusedAt, now)}: ${client.refusal ?? 'no reason told'}`,
    connections: client.connections === 0 ? '0, unused' : String(client.connections),
  };
}

async function setSecret(
  session: Session,
  clientId: string,
  options: SetSecretOptions,
): Promise<void> {
  const { tokenEndpoint, clientSecretExpires: expires } = options;
  const details = {
    ...(tokenEndpoint !== undefined && { tokenEndpoint }),
    ...(expires !== undefined && {
      expiresAt: parseInstant(expires, '--client-secret-expires', session.clock.now()),
    }),
  };
  const secret = await secretToAskFor(session, options, 'client-secret');
  const replace = async (keeper: Keeper): Promise<number> => {
    // Nobody types a secret for what is not there.
    chooseRegistration(await keeper.clients(), clientId, tokenEndpoint);
    return keeper.setClientSecret(clientId, await secret(), details);
  };
  const count = await withKeeper(session, (keeper) =>
    replace(keeper).catch(async (error: unknown) => {
      throw await withSuggestion(error, clientId, keeper);
    }),
  );
  tell(session, `${clientId}: secret replaced, connections that use it: ${String(count)}`);
}

async function remove(session: Session, clientId: string, options: RemoveOptions): Promise<void> {
  await withKeeper(session, (keeper) =>
    keeper.removeClient(clientId, options).catch(async (error: unknown) => {
      throw await withSuggestion(error, clientId, keeper);
    }),
  );
  tell(session, `${clientId}: removed, with the secret that was kept for it`);
}

async function withSuggestion(error: unknown, clientId: string, keeper: Keeper): Promise<unknown> {
  if (!(error instanceof NotFoundError)) return error;
  const known = (await keeper.clients().catch(() => [])).map((client) => client.clientId);
  const close = nearest(clientId, known);
  if (close !== undefined && close !== clientId) hint(error, `did you mean ${close}?`);
  return error;
}
