import type { Command } from 'commander';
import type { Row, World } from '../demo/demo.ts';
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
    .option('--keep', 'leave the emulator running afterwards, with a connection to try commands on')
    .option('--json', 'print the rows as JSON on one line')
    .addHelpText('after', '\nExample:\n  evergrant demo --keep')
    .action((options: DemoCommandOptions) => demo(session, options));
}

async function demo(session: Session, options: DemoCommandOptions): Promise<void> {
  const { runDemo } = await import('../demo/demo.ts');
  const table = new DemoTable(session);
  const inJson = options.json === true;
  if (!inJson) table.begin();
  const end = (rows: readonly Row[]): void => {
    session.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;
    if (inJson) printJson(session, { ok: session.exitCode === 0, rows });
    else sayResult(session, rows);
  };
  const keep = async (world: World, rows: readonly Row[]): Promise<void> => {
    end(rows);
    sayCommands(session, world);
    await aborted(session.signal);
  };
  try {
    const rows = await runDemo({
      launcher: { command: thisProgram(), environment: session.environment },
      signal: session.signal,
      onScene: (...scene) => table.onScene(...scene),
      onRow: (row) => (inJson ? table.clear() : table.onRow(row)),
      keep: options.keep === true ? keep : undefined,
    });
    if (options.keep !== true) end(rows);
  } finally {
    table.clear();
  }
  session.signal.throwIfAborted();
}

/** This program as it was started, from its sources or as installed. */
function thisProgram(): readonly [string, ...string[]] {
  const [program = process.execPath, script = ''] = process.argv;
  return [program, ...process.execArgv, script];
}

function sayResult(session: Session, rows: readonly Row[]): void {
  const held = rows.filter(({ ok }) => ok).length;
  print(session, '');
  print(
    session,
    held === rows.length
      ? `All ${String(held)} held, as counted by the emulator's ledger.`
      : `${String(rows.length - held)} of ${String(rows.length)} did not hold; this is a defect of evergrant.`,
  );
  print(session, '');
  print(session, 'Next:');
  print(session, '  evergrant demo --keep    the same, then try the commands yourself');
  print(session, '  evergrant connect --help connect Perspio, or any other provider');
}

function sayCommands(session: Session, { home, emulator }: World): void {
  tell(session, '');
  tell(session, 'The emulator runs until Ctrl-C. In another terminal:');
  tell(session, `  export EVERGRANT_HOME=${home}`);
  tell(session, '  evergrant token perspio');
  tell(session, `  evergrant call perspio ${emulator.apiBase}/assets/v3/`);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
