import { Writable } from 'node:stream';
import { Secret } from '../../secret.ts';
import { Interrupted } from '../interruption.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

/*
 * Questions at a terminal. They are shown on stderr, so that results stay alone on stdout; Ctrl-C at a question is SIGINT.
 */

/** Asks for a secret without showing it. */
export async function askSecret(session: Session, what: string): Promise<Secret> {
  const value = await askSecretOrNothing(session, what);
  if (value === undefined) throw new UsageError(`no ${what} was given`);
  return value;
}

/** Asks for a secret that is made up now, twice. @throws {@link UsageError} when the two differ */
export async function askNewSecret(session: Session, what: string): Promise<Secret> {
  const first = await askSecret(session, `new ${what}`);
  const second = await askSecret(session, `the same ${what} again`);
  if (first.equals(second)) return first;
  throw new UsageError(`the two ${what}s differ; nothing was made`);
}

/** Asks for a secret that may be left out. */
export async function askSecretOrNothing(
  session: Session,
  what: string,
): Promise<Secret | undefined> {
  const { password } = await import('@clack/prompts');
  const answer = await answered<string>(session, (streams) =>
    password({ message: what, ...streams }),
  );
  return answer === undefined || answer === '' ? undefined : new Secret(answer);
}

/** Asks for something that may be seen. */
export async function askText(session: Session, what: string): Promise<string> {
  const { text } = await import('@clack/prompts');
  const answer = (
    await answered<string>(session, (streams) => text({ message: what, ...streams }))
  )?.trim();
  if (answer === undefined || answer === '') throw new UsageError(`no ${what} was given`);
  return answer;
}

/** Asks a question that is answered by yes or no. */
export async function askYesOrNo(session: Session, question: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  const answer = await answered<boolean>(session, (streams) =>
    confirm({ message: question, initialValue: false, ...streams }),
  );
  return answer === true;
}

interface Streams {
  readonly input: Session['stdin'];
  readonly output: Writable;
  readonly signal: AbortSignal;
}

/**
 * The prompts answer with a symbol when Ctrl-C ends them, and with nothing when return was pressed on an empty line. At the end of input,
 * Ctrl-D, they would wait for ever.
 */
async function answered<T>(
  session: Session,
  ask: (streams: Streams) => Promise<T | symbol | undefined>,
): Promise<T | undefined> {
  const { stdin, signal } = session;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const onKey = (
    _text: unknown,
    key?: { readonly ctrl?: boolean; readonly name?: string },
  ): void => {
    if (key?.ctrl === true && key.name === 'd') end();
  };
  stdin.on('keypress', onKey).once('end', end);
  try {
    const either = AbortSignal.any([signal, ended.signal]);
    const answer = await ask({ input: stdin, output: withColumns(session), signal: either });
    if (ended.signal.aborted) throw new UsageError('the question got no answer');
    if (typeof answer === 'symbol') throw new Interrupted('SIGINT');
    return answer;
  } finally {
    stdin.off('keypress', onKey).off('end', end);
  }
}

/** A terminal that says it has no columns would get one letter a line; without a number the prompts take the usual one. */
function withColumns({ stderr }: Session): Writable {
  if (Reflect.get(stderr, 'columns') !== 0) return stderr;
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      stderr.write(chunk, () => {
        done();
      });
    },
  });
}
