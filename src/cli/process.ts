import type { Writable } from 'node:stream';
import { systemClock } from '../system/clock.ts';
import { interruptOnSignals } from './interruption.ts';
import { reportFailure } from './output/failure.ts';
import { tell, type Session } from './session.ts';

/**
 * Runs a command in this process, tells what went wrong, and ends the process once all that it printed is written.
 *
 * @param openHome - how the command gets at a keeper.
 */
export async function runProcess(
  command: (session: Session) => Promise<void>,
  openHome: Session['openHome'],
): Promise<never> {
  const session = processSession(openHome);
  const faults = [session.stdout, session.stderr].map(watchOutput);
  const code = await command(session).then(
    () => session.exitCode,
    (error: unknown) => reportFailure(session, error),
  );
  await written();
  const fault = faults.map((faultOf) => faultOf()).find((error) => error !== undefined);
  if (fault !== undefined) tell(session, `evergrant: output cannot be written: ${fault.message}`);
  await written();
  process.exit(fault === undefined ? code : code || 2);
}

function processSession(openHome: Session['openHome']): Session {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    clock: systemClock,
    ...interruptOnSignals(process),
    globals: {},
    exitCode: 0,
    openHome,
  };
}

/**
 * Notes what goes wrong with an output; the command goes on, so that a refresh under way is still recorded. A reader that went away, as
 * `head` does, is no fault.
 */
function watchOutput(stream: Writable): () => Error | undefined {
  let fault: Error | undefined;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') fault ??= error;
  });
  return () => fault;
}

/** Resolves when what was printed is with the operating system, or nobody reads it any more. */
async function written(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}
