import type { ConnectionSummary, Store } from '../store/store.ts';
import { breathe } from '../system/turn.ts';

/** So many are read at a time: a store may hold more than the memory of a process. */
const PAGE = 1_000;

/** Ids of all connections, some at a time. */
export async function* idPagesOf(
  store: Pick<Store, 'ids'>,
): AsyncGenerator<readonly string[], void> {
  let after = '';
  for (;;) {
    const page = await store.ids({ after, limit: PAGE });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = last;
    await breathe();
  }
}

/** All connections in order of name, some at a time. */
export async function* pagesOf(
  store: Pick<Store, 'list'>,
): AsyncGenerator<readonly ConnectionSummary[], void> {
  let afterName = '';
  for (;;) {
    const page = await store.list({ afterName, limit: PAGE });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    afterName = last.connection.name;
    await breathe();
  }
}
