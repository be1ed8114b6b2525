import path from 'node:path';
import { openSqliteStore, type SqliteStoreOptions } from '../../src/store/sqlite/open.ts';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { systemClock } from '../../src/system/clock.ts';
import { thisMachine } from '../../src/system/machine.ts';
import { systemRandom } from '../../src/system/random.ts';

/** Options of a test's store that have no default. */
export type StoreChoices = Partial<Omit<SqliteStoreOptions, 'folder'>>;

/** Opens the store below a folder as a home lays it out: `store`, `key/master.key`, `key/store.mark`. */
export async function openStoreBelow(
  home: string,
  choices: StoreChoices = {},
): Promise<SqliteStore> {
  return openSqliteStore({
    folder: path.join(home, 'store'),
    markFile: path.join(home, 'key', 'store.mark'),
    masterKey: { kind: 'file', path: path.join(home, 'key', 'master.key') },
    create: true,
    clock: systemClock,
    random: systemRandom,
    machine: await thisMachine(),
    isFragile: () => true,
    ...choices,
  });
}
