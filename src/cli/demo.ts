import type { Command } from 'commander';
import type { DemoOptions, KeptWorld, Row } from '../demo/demo.ts';
import { commandName } from './output/command-name.ts';
import { DemoTable } from './output/demo-table.ts';
import { print, printJson, tell, type Session } from './session.ts';

interface DemoCommandOptions {
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** Adds `evergrant demo`. */
export function addDemoCommand(program: Command, session: Session): void {
  program
    .command('demo')
    .summary('see it work against the emulator')
    .description(
      'Shows, against an emulator on this machine, what evergrant does, and counts what came of it. Touches no connection of yours and no network but loopback. Exits with 0 only if all that it shows held.',
    )
    .option(
      '--keep',
      'leave a daemon running afterwards, with connections in good and bad health, and link to its dashboard',
    )
    .option('--json', 'print the rows as JSON on one line')
    .addHelpText('after', '\nExample:\n  evergrant demo --keep')
    .action((options: DemoCommandOptions) => demo(session, options));
}

async function demo(session: Session, { json, keep }: DemoCommandOptions): Promise<void> {
  const { runDemo, keepWorld } = await import('../demo/demo.ts');
  const table = new DemoTable(session);
  const options = demoOptions(session);
  const unread = keep === true ? undefined : unreadSignal(session);
  if (json !== true) table.begin();
  session.exitCode = 0;
  try {
    const rows = await runDemo(until(options, unread), {
      onScene: (number, all, title) => table.onScene(number, all, title),
      onRow: (number, row) => {
        if (!row.ok) session.exitCode = 1;
        if (json !== true) table.onRow(number, row);
      },
    });
    if (json === true) printJson(session, { ok: session.exitCode === 0, rows });
    else sum(session, rows);
  } catch (error) {
    if (unread?.aborted !== true || session.signal.aborted) throw error;
  } finally {
    table.clear();
  }
  if (keep !== true) return json === true ? undefined : sayNext(session);
  await keepWorld(options, (world) => sayCommands(session, world));
  session.signal.throwIfAborted();
}

/** Aborted once nobody reads what is printed, as after `head`: the rest would be played for nobody. */
function unreadSignal({ stdout }: Session): AbortSignal {
  const controller = new AbortController();
  stdout.once('error', () => controller.abort());
  return controller.signal;
}

function until(options: DemoOptions, unread: AbortSignal | undefined): DemoOptions {
  if (unread === undefined) return options;
  return { ...options, signal: AbortSignal.any([options.signal, unread]) };
}

function demoOptions({ environment, signal }: Session): DemoOptions {
  // Further processes run as this one does, from the sources or as installed.
  const [program = process.execPath, script = ''] = process.argv;
  return { launcher: { command: [program, ...process.execArgv, script], environment }, signal };
}

function sum(session: Session, rows: readonly Row[]): void {
  const all = String(rows.length);
  const failed = rows.filter(({ ok }) => !ok).length;
  const verdict =
    failed === 0
      ? `All ${all} held, as counted in the emulator's ledger and by the keeper.`
      : `${String(failed)} of ${all} did not hold, which is a defect of evergrant.`;
  print(session, verdict);
  print(session, 'Where hours pass, they pass on the clocks of both sides at once.');
}

function sayNext(session: Session): void {
  const evergrant = commandName(session);
  print(session, '');
  print(session, 'Next:');
  print(session, `  ${evergrant} demo --keep       look at the dashboard, and try the commands`);
  print(session, `  ${evergrant} connect --help    connect Perspio, or any other provider`);
}

function sayCommands(session: Session, { home, controlUrl, link }: KeptWorld): void {
  const evergrant = commandName(session);
  const lines = [
    '',
    'A daemon now keeps twelve connections fresh; their servers make trouble on their',
    'own. Open its dashboard in a browser of this machine (good once, for a minute):',
    '',
    `  ${link}`,
    '',
    'In another terminal, for a further link and all other commands:',
    '',
    `  export EVERGRANT_HOME=${home}`,
    `  ${evergrant} dashboard`,
    `  ${evergrant} token perspio`,
    `  ${evergrant} call perspio /assets/v3/`,
    '',
    'Let an administrator revoke the sign-ins, and see who must do what:',
    '',
    `  curl ${controlUrl}/user/revoke \\`,
    `    -H 'content-type: application/json' -d '{"user":"demo@perspio.io"}'`,
    `  ${evergrant} refresh perspio`,
    `  ${evergrant} explain perspio`,
    `  ${evergrant} connect perspio --reconnect`,
    '',
    'Ctrl-C ends all of it, and removes what it made.',
  ];
  for (const line of lines) tell(session, line);
}
