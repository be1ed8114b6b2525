import type { Writable } from 'node:stream';
import { systemClock } from '../system/clock.ts';
import { closeStandardOutput } from '../system/standard-output.ts';
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
  const outputs = [
    new Output(() => process.stdout, closeStandardOutput),
    new Output(() => process.stderr),
  ] as const;
  const session = processSession(outputs, openHome);
  const code = await command(session).then(
    () => session.exitCode,
    (error: unknown) => reportFailure(session, error),
  );
  await written(outputs);
  const fault = outputs.map((output) => output.fault).find((error) => error !== undefined);
  if (fault !== undefined) tell(session, `evergrant: output cannot be written: ${fault.message}`);
  await written(outputs);
  process.exit(fault === undefined ? code : code || 2);
}

function processSession(
  [stdout, stderr]: readonly [Output, Output],
  openHome: Session['openHome'],
): Session {
  return {
    // As with the outputs: a stream is made for whoever reads it.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return stdout.stream;
    },
    get stderr() {
      return stderr.stream;
    },
    environment: process.env,
    clock: systemClock,
    ...interruptOnSignals(process),
    globals: {},
    exitCode: 0,
    openHome,
  };
}

/**
 * A standard stream, made when something is printed: that takes a cold process longer than printing. Notes what goes wrong with it; the
 * command goes on, so that a refresh under way is still recorded. A reader that went away, as `head` does, is no fault.
 */
class Output {
  /** What went wrong with it. */
  fault: Error | undefined;
  readonly #make: () => Writable;
  readonly #close: (() => void) | undefined;
  #stream: Writable | undefined;
  #isOver = false;

  /** @param close - closes what is below the stream, which Node keeps open when the stream ends. */
  constructor(make: () => Writable, close?: () => void) {
    this.#make = make;
    this.#close = close;
  }

  /** The stream. */
  get stream(): Writable {
    this.#stream ??= this.#make()
      .on('error', (error: NodeJS.ErrnoException) => {
        this.#isOver = true;
        if (error.code !== 'EPIPE') this.fault ??= error;
      })
      .on('finish', () => {
        this.#isOver = true;
        this.#closeBelow();
      });
    return this.#stream;
  }

  /** Resolves when what was printed is with the operating system, or nobody reads it any more. */
  async written(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || this.#isOver) return;
    await new Promise<void>((resolve) => {
      if (stream.writableEnded) stream.once('finish', resolve).once('error', () => resolve());
      else stream.write('', () => resolve());
    });
  }

  #closeBelow(): void {
    try {
      this.#close?.();
    } catch (error) {
      this.fault ??= error as Error;
    }
  }
}

async function written(outputs: readonly Output[]): Promise<void> {
  for (const output of outputs) await output.written();
}
