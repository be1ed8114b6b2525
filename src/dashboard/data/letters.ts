import { useEffect, useState } from 'preact/hooks';
import { ApiError, call } from './api.ts';
import { whileSeen } from './hooks.ts';
import type { DeadLetter, DeadLetters } from './types.ts';

const PERIOD_MS = 10_000;
const PAGE = 50;
const PATH = `/v1/dead-letters?limit=${PAGE}`;

/** Dead letters as far as they were read, and how to read on. */
export interface Letters {
  /** What is known; undefined until then. */
  readonly known: DeadLetters | undefined;
  /** Why nothing is. */
  readonly error: ApiError | undefined;
  /** Reads the next page. */
  readonly more: () => Promise<void>;
  /** Has a letter sent again, and takes it from the list. @throws {@link ApiError} */
  readonly retry: (letter: DeadLetter) => Promise<void>;
}

/** Reads dead letters, and again every while. */
export function useLetters(): Letters {
  const [known, setKnown] = useState<DeadLetters>();
  const [error, setError] = useState<ApiError>();
  const look = async (): Promise<void> => {
    const page = await told(PATH, setError);
    if (page !== undefined) setKnown((before) => renewed(before, page));
  };
  useEffect(() => {
    void look();
    return whileSeen(PERIOD_MS, () => void look());
  }, []);
  const more = async (): Promise<void> => {
    const next = known?.next ?? '';
    if (next === '') return;
    const page = await told(`${PATH}&cursor=${encodeURIComponent(next)}`, setError);
    if (page !== undefined) setKnown((before) => appended(before, page));
  };
  const retry = async ({ id }: DeadLetter): Promise<void> => {
    try {
      await call('POST', `/v1/dead-letters/${encodeURIComponent(id)}/retry`, {});
    } catch (failure) {
      // Somebody else was faster.
      if (!(failure instanceof ApiError && failure.status === 404)) throw failure;
    }
    await look();
    setKnown((before) => before && without(before, id));
  };
  return { known, error, more, retry };
}

async function told(
  path: string,
  fail: (error: ApiError | undefined) => void,
): Promise<DeadLetters | undefined> {
  try {
    const page = await call<DeadLetters>('GET', path);
    fail(undefined);
    return page;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    fail(error);
    return undefined;
  }
}

/** The first page as it is now, and behind it what was read of the others. */
export function renewed(before: DeadLetters | undefined, first: DeadLetters): DeadLetters {
  const last = first.deadLetters.at(-1);
  if (before === undefined || first.next === null || last === undefined) return first;
  const ids = new Set(first.deadLetters.map(({ id }) => id));
  const rest = before.deadLetters.filter(({ id, deadAt }) => !ids.has(id) && deadAt <= last.deadAt);
  if (rest.length === 0) return first;
  return { ...first, deadLetters: [...first.deadLetters, ...rest], next: before.next };
}

function appended(before: DeadLetters | undefined, page: DeadLetters): DeadLetters {
  const known = before?.deadLetters ?? [];
  const ids = new Set(known.map(({ id }) => id));
  const fresh = page.deadLetters.filter(({ id }) => !ids.has(id));
  return { ...page, deadLetters: [...known, ...fresh] };
}

function without(known: DeadLetters, gone: string): DeadLetters {
  return { ...known, deadLetters: known.deadLetters.filter(({ id }) => id !== gone) };
}
