import type { Command } from 'commander';
import type { Keeper } from '../keeper-api.ts';
import { exitCodeOf } from './exit-codes.ts';
import { relativeTime } from './output/relative-time.ts';
import { print, printJson, tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withKeeper } from './with-home.ts';

interface RefreshOptions {
  readonly due?: boolean;
  readonly anyway?: boolean;
  readonly json?: boolean;
}

/** Adds `evergrant refresh`. */
export function addRefreshCommand(program: Command, session: Session): void {
  program
    .command('refresh')
    .summary('refresh now, or all that is due')
    .description(
      'Makes one refresh now, whatever is left of the token. Refuses where a refresh token may have been used up already; --anyway insists. ' +
        'With --due, refreshes every connection that is due, as a running keeper would: for cron. The exit code is then that of the first failure.',
    )
    .argument('[name]', 'connection')
    .option('--due', 'refresh what is due, over all connections')
    .option(
      '--anyway',
      'insist although the outcome of an earlier request is uncertain, or somebody must act',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  evergrant refresh perspio\n  */10 * * * * evergrant refresh --due',
    )
    .action((name: string | undefined, options: RefreshOptions) => refresh(session, name, options));
}

async function refresh(
  session: Session,
  name: string | undefined,
  options: RefreshOptions,
): Promise<void> {
  if ((name === undefined) === (options.due !== true)) {
    throw new UsageError('refresh takes either the name of a connection or --due');
  }
  if (name !== undefined) return refreshOne(session, name, options);
  if (options.anyway === true)
    throw new UsageError('--anyway goes with the name of one connection');
  return refreshDue(session, options);
}

async function refreshOne(session: Session, name: string, options: RefreshOptions): Promise<void> {
  const status = await withKeeper(session, (keeper) =>
    keeper.connection(name).refresh({ anyway: options.anyway === true, signal: session.signal }),
  );
  if (options.json === true) return printJson(session, status);
  const expiry = relativeTime(status.accessExpiresAt, session.clock.now());
  print(session, `${name}: refreshed, generation ${String(status.generation)}, expires ${expiry}`);
}

async function refreshDue(session: Session, options: RefreshOptions): Promise<void> {
  const results = await withKeeper(session, (keeper: Keeper) => keeper.refreshDue());
  const failures = results.flatMap(({ error }) => (error === undefined ? [] : [error]));
  session.exitCode = failures[0] === undefined ? 0 : exitCodeOf(failures[0]);
  if (options.json === true) {
    return printJson(
      session,
      results.map(({ connection, error }) => ({ connection, error: error?.message })),
    );
  }
  for (const { connection, error } of results) {
    if (error === undefined) print(session, `${connection}: refreshed`);
    else tell(session, `evergrant: ${naming(connection, error.message)}`);
  }
  if (results.length === 0) tell(session, 'nothing is due');
}

/** Most errors begin with the name of their connection. */
function naming(connection: string, message: string): string {
  return message.startsWith(`${connection}: `) ? message : `${connection}: ${message}`;
}
