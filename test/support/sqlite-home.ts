import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openSqliteStore } from '../../src/store/sqlite/open.ts';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { systemClock } from '../../src/system/clock.ts';
import { thisMachine } from '../../src/system/machine.ts';
import { systemRandom } from '../../src/system/random.ts';

/** A folder for a SQLite store and its key, and ways to open it. */
export interface SqliteHome {
  readonly folder: string;
  readonly keyFile: string;
  readonly markFile: string;
  open(create?: boolean): Promise<SqliteStore>;
  /** All bytes of the store's folder. */
  written(): Promise<Uint8Array>;
  remove(): Promise<void>;
}

/** Makes an empty one. */
export async function sqliteHome(): Promise<SqliteHome> {
  const top = await mkdtemp(path.join(tmpdir(), 'evergrant-store-'));
  const folder = path.join(top, 'store');
  const keyFile = path.join(top, 'master.key');
  const markFile = path.join(top, 'store.mark');
  const machine = await thisMachine();
  return {
    folder,
    keyFile,
    markFile,
    open: (create = true) =>
      openSqliteStore({
        folder,
        masterKey: { kind: 'file', path: keyFile },
        create,
        clock: systemClock,
        random: systemRandom,
        machine,
        markFile,
        isFragile: () => true,
      }),
    async written() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.life'));
      const parts = await Promise.all(
        files.map((entry) => readFile(path.join(entry.parentPath, entry.name))),
      );
      return Buffer.concat(parts);
    },
    remove: () => rm(top, { recursive: true, force: true }),
  };
}
