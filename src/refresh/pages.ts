import type { ConnectionSummary, Store } from '../store/store.ts';
import { breathe } from '../system/turn.ts';

/** So many are read at a time: a store may hold more than the memory of a process. */
const PAGE = 1_000;

/** Ids of all connections, some at a time. */
export function idPagesOf(store: Pick<Store, 'ids'>): AsyncGenerator<readonly string[], void> {
  return pages(
    (after) => store.ids({ after, limit: PAGE }),
    (id) => id,
  );
}

/** All connections in order of name, some at a time. */
export function pagesOf(
  store: Pick<Store, 'list'>,
): AsyncGenerator<readonly ConnectionSummary[], void> {
  return pages(
    (afterName) => store.list({ afterName, limit: PAGE }),
    ({ connection }) => connection.name,
  );
}

async function* pages<T>(
  read: (after: string) => Promise<readonly T[]>,
  placeOf: (row: T) => string,
): AsyncGenerator<readonly T[], void> {
  let after = '';
  for (;;) {
    const page = await read(after);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = placeOf(last);
    await breathe();
  }
}
