import type { Command } from 'commander';
import type { DemoOptions, Row, World } from '../demo/demo.ts';
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
    .option('--keep', 'leave an emulator running afterwards, and a connection to try commands on')
    .option('--json', 'print the rows as JSON on one line')
    .addHelpText('after', '\nExample:\n  evergrant demo --keep')
    .action((options: DemoCommandOptions) => demo(session, options));
}

async function demo(session: Session, { json, keep }: DemoCommandOptions): Promise<void> {
  const { runDemo, keepWorld } = await import('../demo/demo.ts');
  const table = new DemoTable(session);
  const options = demoOptions(session);
  if (json !== true) table.begin();
  try {
    const rows = await runDemo(options, {
      onScene: (number, all, title) => table.onScene(number, all, title),
      onRow: (number, row) => (json === true ? undefined : table.onRow(number, row)),
    });
    session.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
    if (json === true) printJson(session, { ok: session.exitCode === 0, rows });
    else sum(session, rows);
  } finally {
    table.clear();
  }
  if (keep !== true) return json === true ? undefined : sayNext(session);
  await keepWorld(options, (world) => sayCommands(session, world));
  session.signal.throwIfAborted();
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
  print(session, `  ${evergrant} demo --keep       try the commands on the emulator yourself`);
  print(session, `  ${evergrant} connect --help    connect Perspio, or any other provider`);
}

function sayCommands(session: Session, { home, emulator }: World): void {
  const evergrant = commandName(session);
  const lines = [
    '',
    'An emulator now runs until Ctrl-C, with a connection to it. In another terminal:',
    '',
    `  export EVERGRANT_HOME=${home}`,
    `  ${evergrant} token perspio`,
    `  ${evergrant} call perspio /assets/v3/`,
    `  ${evergrant} show perspio`,
    '',
    'Let an administrator revoke the sign-ins, and see who must do what:',
    '',
    `  curl ${emulator.controlUrl}/user/revoke \\`,
    `    -H 'content-type: application/json' -d '{"user":"demo@perspio.io"}'`,
    `  ${evergrant} refresh perspio`,
    `  ${evergrant} explain perspio`,
  ];
  for (const line of lines) tell(session, line);
}
