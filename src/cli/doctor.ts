import { styleText } from 'node:util';
import type { Command } from 'commander';
import { closeKeeper } from './close-keeper.ts';
import type { Check, Finding } from './doctor/check.ts';
import { daemon } from './doctor/daemon.ts';
import { connections, endpoints, registrations } from './doctor/connections.ts';
import { disk } from './doctor/disk.ts';
import { copies, damage, homeIsPrivate, notices, settings, spills, store } from './doctor/home.ts';
import { debuggerCheck, environment } from './doctor/leaks.ts';
import { clock, nodeVersion, platform, user } from './doctor/surroundings.ts';
import { homePaths } from '../system/home.ts';
import { print, printJson, tell, type Session } from './session.ts';
import { openHome, withHome } from './with-home.ts';

/** In the order in which one hides the next. */
const CHECKS: readonly Check[] = [
  nodeVersion,
  platform,
  user,
  environment,
  debuggerCheck,
  homeIsPrivate,
  disk,
  settings,
  store,
  damage,
  copies,
  clock,
  spills,
  notices,
  daemon,
  connections,
  endpoints,
  registrations,
];

/** Adds `evergrant doctor`. */
export function addDoctorCommand(program: Command, session: Session): void {
  program
    .command('doctor')
    .summary('look for what is wrong here')
    .description(
      'Looks for what is wrong with this machine, this home and its connections. Sends nothing. ' +
        'Exits with 0 unless something does not work: 2 for the surroundings, 9 for the store.',
    )
    .option('--json', 'print JSON, one array')
    .option(
      '--accept-copy',
      'do only this: say that nothing else uses the connections of this copied or restored store, and let them go on',
    )
    .addHelpText('after', '\nExample:\n  evergrant doctor')
    .action((options: { readonly json?: boolean; readonly acceptCopy?: boolean }) =>
      options.acceptCopy === true ? acceptCopy(session) : doctor(session, options.json === true),
    );
}

async function acceptCopy(session: Session): Promise<void> {
  const accepted = await withHome(session, ({ store: open }) => open.acceptCopy());
  tell(session, `connections that go on: ${String(accepted)}`);
}

interface Result extends Finding {
  readonly check: string;
  readonly exitCode: number;
}

async function doctor(session: Session, json: boolean): Promise<void> {
  const results = await examine(session);
  session.exitCode = results.find(({ verdict }) => verdict === 'fail')?.exitCode ?? 0;
  if (json) {
    return printJson(
      session,
      results.map(({ check, verdict, message, remedy, figures }) => ({
        ...{ check, verdict, message, remedy },
        ...figures,
      })),
    );
  }
  for (const result of results) for (const line of lines(session, result)) print(session, line);
}

async function examine(session: Session): Promise<readonly Result[]> {
  const paths = homePaths(session.globals.home, session.environment);
  const home = await openHome(session, false).catch(asError);
  const results: Result[] = [];
  try {
    for (const check of CHECKS) {
      const findings = await check.look({ session, paths, home });
      results.push(
        ...findings.map((finding) => ({ ...finding, check: check.name, exitCode: check.exitCode })),
      );
    }
  } finally {
    if (!(home instanceof Error)) await closeKeeper(session, home.keeper);
  }
  return results;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

function lines(session: Session, { check, verdict, message, remedy }: Result): readonly string[] {
  const mark = styleText(COLOURS[verdict], verdict.padEnd(4), { stream: session.stdout });
  const line = `${mark}  ${check.padEnd(15)}  ${message}`;
  return remedy === undefined ? [line] : [line, `${' '.repeat(23)}${remedy}`];
}
