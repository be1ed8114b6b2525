import { systemClock } from '../system/clock.ts';
import { interruptOnSignals } from './interruption.ts';
import { reportFailure } from './output/failure.ts';
import type { Session } from './session.ts';
import { parseTokenCommand, printToken } from './token.ts';

await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  const session = processSession();
  const code = await run(argv, session).then(
    () => session.exitCode,
    (error: unknown) => reportFailure(session, error),
  );
  await written();
  process.exit(code);
}

/** Everything but a well-formed `token` needs the full command line, which takes longer to load. */
async function run(argv: readonly string[], session: Session): Promise<void> {
  const command = parseTokenCommand(argv);
  if (command === undefined) return (await import('./program.ts')).runProgram(argv, session);
  session.globals = command.options;
  return printToken(session, command.name, command.options);
}

function processSession(): Session {
  quietWhenNobodyReads(process.stdout);
  quietWhenNobodyReads(process.stderr);
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    clock: systemClock,
    signal: interruptOnSignals(process),
    globals: {},
    exitCode: 0,
    openHome: async (options) => (await import('../keeper.ts')).openHome(options),
  };
}

/** A reader that went away, as `head` does, is no fault; the command goes on, so that a refresh under way is still recorded. */
function quietWhenNobodyReads(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    if (stream !== process.stderr)
      process.stderr.write(`evergrant: output cannot be written: ${error.message}\n`);
    process.exit(2);
  });
}

/** Resolves when what was printed is with the operating system, or nobody reads it any more. */
async function written(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}
