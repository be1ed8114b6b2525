import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach } from 'vitest';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import { makeTemporaryFolder, removeFolder } from '../../src/system/temporary-folder.ts';
import { openStoreBelow, type StoreChoices } from './store-below.ts';

/** A process that works on a store. */
export interface StoreProcess {
  readonly process: ChildProcess;
  /** The next line that it prints. */
  line(): Promise<string>;
  /** Waits for its end. @throws when that is no success. */
  done(): Promise<void>;
  /** Ends it without notice. */
  kill(): Promise<void>;
}

/** A folder with a store in it, for one test; everything is closed and removed after it. */
export interface StoreFolder {
  /** The folder. */
  readonly home: string;
  /** The database file. */
  readonly file: string;
  /** Opens the store, closed after the test. */
  open(choices?: StoreChoices): Promise<SqliteStore>;
  /** Runs a role of `store.process.ts` on it. */
  run(role: string, ...args: readonly (string | number)[]): StoreProcess;
}

/** Gives a test file a way to make homes. */
export function storeFolders(): () => Promise<StoreFolder> {
  const folders: string[] = [];
  const stores: SqliteStore[] = [];
  const children: StoreProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
    for (const store of stores.splice(0)) await store.close().catch(() => undefined);
    for (const folder of folders.splice(0)) await removeFolder(folder);
  });
  return async () => {
    const home = await makeTemporaryFolder('evergrant-store-');
    folders.push(home);
    await mkdir(path.join(home, 'key'), { mode: 0o700 });
    return {
      home,
      file: path.join(home, 'store', 'evergrant.db'),
      async open(choices) {
        const store = await openStoreBelow(home, choices);
        stores.push(store);
        return store;
      },
      run(role, ...args) {
        const child = startStoreProcess([role, home, ...args.map(String)]);
        children.push(child);
        return child;
      },
    };
  };
}

/** Starts `store.process.ts`. */
export function startStoreProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): StoreProcess {
  const main = path.join(import.meta.dirname, 'store.process.ts');
  const child = spawn(process.execPath, ['--conditions=evergrant-test', main, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    async line() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the process printed nothing more');
      return value;
    },
    async done() {
      const [code, signal] = (await exit) as [number | null, string | null];
      if (code !== 0) throw new Error(`the process ended with ${String(code ?? signal)}`);
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exit;
    },
  };
}
