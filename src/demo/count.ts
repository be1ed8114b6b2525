import { endOfTurn } from '../system/turn.ts';

/** A number with the noun it counts: `1 request`, `1,000 requests`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

/** How often something happened: `once`, `1,000 times`. */
export function often(times: number): string {
  return times === 1 ? 'once' : count(times, 'time');
}

/** What became of many calls made at the same moment. */
export interface Served<T> {
  /** What they resolved to. */
  readonly results: readonly T[];
  /** How many were not answered within the turn of the event loop in which they were made: these waited for something. */
  readonly waited: number;
}

/** Makes calls at the same moment. @throws what the first that fails throws. */
export async function callAtOnce<T>(calls: number, call: () => Promise<T>): Promise<Served<T>> {
  let answered = 0;
  const all = Promise.all(
    Array.from({ length: calls }, async () => {
      const result = await call();
      answered += 1;
      return result;
    }),
  );
  // A call that fails before the turn ends must not be taken for one that nobody looks after.
  all.catch(() => undefined);
  await new Promise<void>((resolve) => endOfTurn(resolve));
  const waited = calls - answered;
  return { results: await all, waited };
}

/** How many tokens there are, and whether they are the same. */
export function tellTokens(tokens: readonly string[]): string {
  const values = new Set(tokens).size;
  const sameness = values === 1 ? 'all the same' : `${String(values)} different`;
  return `${count(tokens.length, 'token')}, ${sameness}`;
}
