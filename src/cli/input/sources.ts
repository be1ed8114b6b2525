import { errnoOf } from '../../system/file-errors.ts';
import { readAll } from '../../system/input-file.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

const takenBy = new WeakMap<object, string>();

/** Reads standard input to its end, once. @throws {@link UsageError} when something else has read it */
export async function readStdin(
  session: Session,
  what: string,
  mostBytes: number,
): Promise<Buffer> {
  const earlier = takenBy.get(session.stdin);
  if (earlier !== undefined) {
    throw new UsageError(
      `standard input cannot give both the ${earlier} and the ${what}; put one into a file`,
    );
  }
  takenBy.set(session.stdin, what);
  return reading('standard input', () => readAll(session.stdin, mostBytes));
}

/** Reads from a source that a person named. @throws {@link UsageError} naming it, and what to do, when it cannot be read. */
export async function reading<T>(
  source: string,
  read: () => Promise<T>,
  remedy = 'check its name and mode',
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const why = errnoOf(error) ?? (error instanceof Error ? error.message : 'no reason known');
    throw new UsageError(`${source} cannot be read (${why}); ${remedy}`);
  }
}
