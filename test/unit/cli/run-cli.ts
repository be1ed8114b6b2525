import { PassThrough, Readable, Writable } from 'node:stream';
import { reportFailure } from '../../../src/cli/output/failure.ts';
import { runProgram } from '../../../src/cli/program.ts';
import type { Session } from '../../../src/cli/session.ts';
import type { Keeper } from '../../../src/keeper-api.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { fakeHome, fakeKeeper, NOW } from './fake-keeper.ts';

/** What a run of the command line left. */
export interface Run {
  /** What the process would exit with. */
  readonly code: number;
  /** Results. */
  readonly stdout: string;
  /** All else. */
  readonly stderr: string;
}

/** A session whose streams are collected. */
export function collectingSession(
  changes: Partial<Session> & { readonly keeper?: Keeper; readonly input?: string } = {},
): {
  readonly session: Session;
  readonly stdout: () => string;
  readonly stdoutBytes: () => Buffer;
  readonly stderr: () => string;
} {
  const { keeper = fakeKeeper(), input, ...rest } = changes;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const session: Session = {
    stdin: input === undefined ? new PassThrough() : Readable.from([Buffer.from(input)]),
    stdout: collector(out),
    stderr: collector(err),
    environment: {},
    clock: fakeClock(NOW),
    signal: new AbortController().signal,
    onHangUp: () => undefined,
    globals: {},
    exitCode: 0,
    openHome: async () => fakeHome(keeper),
    ...rest,
  };
  return {
    session,
    stdout: () => Buffer.concat(out).toString('utf8'),
    stdoutBytes: () => Buffer.concat(out),
    stderr: () => Buffer.concat(err).toString('utf8'),
  };
}

/** Runs the command line in this process. */
export async function runCli(
  argv: readonly string[],
  changes: Parameters<typeof collectingSession>[0] = {},
): Promise<Run> {
  const { session, stdout, stderr } = collectingSession(changes);
  const code = await runProgram(argv, session).then(
    () => session.exitCode,
    (error: unknown) => reportFailure(session, error),
  );
  return { code, stdout: stdout(), stderr: stderr() };
}

function collector(chunks: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
}
