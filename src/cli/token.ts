import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import type { Command } from 'commander';
import type { AccessToken } from '../access-token.ts';
import { camelCase } from './input/camel-case.ts';
import { parseDuration } from './input/duration.ts';
import { GLOBAL_OPTIONS, type GlobalValues } from './input/global-options.ts';
import { print, printJson, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

/*
 * `evergrant token` is what scripts run, often, in a cold process. So this file and all it imports load no npm package: well-formed
 * arguments are read here, anything else is left to the full command line, which knows how to explain what is wrong.
 */

const OPTIONS: ParseArgsOptionsConfig = {
  'min-life': { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  ...Object.fromEntries(
    GLOBAL_OPTIONS.map(({ name, value }) => [
      name,
      { type: value === undefined ? 'boolean' : 'string' },
    ]),
  ),
};

/** The options of `evergrant token`. */
export interface TokenCommandOptions {
  /** Least remaining life, as a duration. */
  readonly minLife?: string;
  /** Longest wait for a refresh, as a duration. */
  readonly timeout?: string;
  /** JSON instead of the token alone. */
  readonly json?: boolean;
}

/** A well-formed `evergrant token NAME`. */
export interface TokenCommand {
  /** Name of the connection. */
  readonly name: string;
  /** Its options, the global ones among them. */
  readonly options: TokenCommandOptions & GlobalValues;
}

/** Reads the arguments of `evergrant token`; undefined for any other command and whatever is not well formed. */
export function parseTokenCommand(argv: readonly string[]): TokenCommand | undefined {
  if (!argv.includes('token')) return undefined;
  try {
    const { values, positionals, tokens } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      tokens: true,
      options: OPTIONS,
    });
    const [command, name, ...others] = positionals;
    if (command !== 'token' || name === undefined || others.length > 0) return undefined;
    if (!tokens.every(isInPlace)) return undefined;
    const options = Object.entries(values).map(([option, value]) => [camelCase(option), value]);
    return { name, options: Object.fromEntries(options) as TokenCommand['options'] };
  } catch {
    return undefined;
  }
}

interface Token {
  readonly kind: string;
  readonly index: number;
  readonly name?: string;
}

/** Before the command only global options may stand. */
function isInPlace(token: Token, _: number, tokens: readonly Token[]): boolean {
  if (token.kind !== 'option') return token.kind === 'positional';
  const command = tokens.find(({ kind }) => kind === 'positional');
  const isAfter = command !== undefined && token.index > command.index;
  return isAfter || GLOBAL_OPTIONS.some(({ name }) => name === token.name);
}

/**
 * Prints an access token that works, and a newline, alone, and ends standard output. That is done before the home is closed, for that may wait
 * minutes for the answer of a request under way.
 */
export async function printToken(
  session: Session,
  name: string,
  options: TokenCommandOptions,
): Promise<void> {
  const demands = {
    ...(options.minLife !== undefined && {
      minLifeMs: parseDuration(options.minLife, '--min-life'),
    }),
    ...(options.timeout !== undefined && {
      timeoutMs: parseDuration(options.timeout, '--timeout'),
    }),
    signal: session.signal,
  };
  await withKeeper(session, async (keeper) => {
    try {
      const token = await keeper.connection(name).token(demands);
      if (options.json === true) printJson(session, members(token));
      else print(session, token.value);
    } finally {
      session.stdout.end();
    }
  });
}

function members(token: AccessToken): object {
  return {
    accessToken: token.value,
    type: token.type,
    scope: token.scope,
    expiresAt: token.expiresAt,
    generation: token.generation,
  };
}

/** Adds `evergrant token`. */
export function addTokenCommand(program: Command, session: Session): void {
  program
    .command('token')
    .summary('print an access token that works')
    .description(
      'Prints an access token that works, and a newline, alone. Refreshes first when the one at hand is about to expire.',
    )
    .argument('<name>', 'connection')
    .option('--min-life <duration>', 'least remaining life of the token, e.g. 5m')
    .option('--timeout <duration>', 'longest wait for a refresh (default: 30s)')
    .option('--json', 'print the token with its type, scope and expiry as JSON')
    .addHelpText(
      'after',
      `\nExample:\n  curl -H "Authorization: Bearer $(evergrant token perspio)" https://…`,
    )
    .action((name: string, options: TokenCommandOptions) => printToken(session, name, options));
}
