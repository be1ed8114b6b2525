import { sqliteHome } from '../support/sqlite-home.ts';
import { describeStore } from './store-contract.ts';

describeStore('SQLite', async () => {
  const home = await sqliteHome();
  const store = await home.open();
  let closed = false;
  return {
    store,
    another: () => home.open(false),
    // Reading the files of an open database would drop its locks, so they are read after it was closed.
    async written() {
      await store.close();
      closed = true;
      return home.written();
    },
    async end() {
      if (!closed) await store.close();
      await home.remove();
    },
  };
});
