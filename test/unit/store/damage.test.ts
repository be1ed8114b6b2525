import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConfigurationError, StoreError } from '../../../src/errors.ts';
import { openHome } from '../../../src/keeper.ts';
import { Spills } from '../../../src/refresh/spill.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import type { Clock } from '../../../src/system/clock.ts';
import { thisMachine } from '../../../src/system/machine.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { sqliteHome, type SqliteHome } from '../../support/sqlite-home.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';
import { timesAsMuch } from '../../support/times.ts';

const TIMES = timesAsMuch();
vi.setConfig({ testTimeout: 90_000 * TIMES });

let home: SqliteHome;
let database: string;

beforeEach(async () => {
  home = await sqliteHome();
  database = path.join(home.folder, 'evergrant.db');
});
afterEach(() => home.remove());

/** A clock on which every wait is over at once, so that patience ends without waiting. */
function impatientClock(): Clock {
  let at = 0;
  return {
    now: () => at,
    monotonic: () => at,
    uptimeMs: () => at,
    timer(delayMs, callback) {
      const immediate = setImmediate(() => {
        at += delayMs;
        callback();
      });
      return { cancel: () => clearImmediate(immediate) };
    },
  };
}

async function open(create: boolean): Promise<SqliteStore> {
  return openSqliteStore({
    folder: home.folder,
    masterKey: { kind: 'file', path: home.keyFile },
    create,
    clock: impatientClock(),
    random: systemRandom,
    machine: await thisMachine(),
    markFile: home.markFile,
    isFragile: () => true,
  });
}

/** The code of the error of `run`; `opened` when there is none, and the error itself in words when it is no StoreError. */
async function refusal(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'opened';
  } catch (error) {
    return error instanceof StoreError ? error.code : `untyped: ${String(error)}`;
  }
}

async function makeStore(): Promise<void> {
  const store = await home.open();
  await store.putClient(clientRecord(store));
  for (let i = 0; i < 20; i++) {
    await store.insert(connectionRecord(store, `connection-${String(i)}`), lifeEvent('connected'));
  }
  await store.close();
}

/** Reads everything that the store holds. */
async function readAll(store: SqliteStore): Promise<void> {
  for (const { connection } of await store.list()) {
    await store.read(connection.id);
    await store.life(connection.id, 10);
    await store.leftovers(connection.id);
  }
  await store.due(Number.MAX_SAFE_INTEGER, 100);
  await store.nextDueAt();
  await store.pendingNotices(0, 10);
  await store.endpoints();
  await store.keyStatus();
}

/** Opens the database file with and without leave to make one: both refuse with this code, and leave its bytes alone. */
async function expectRefused(code: string): Promise<void> {
  const before = await fs.readFile(database);
  expect(await refusal(() => open(false))).toBe(code);
  expect(await refusal(() => open(true))).toBe(code);
  expect((await fs.readFile(database)).equals(before)).toBe(true);
}

/** What becomes of these bytes in the place of the database: opened and read whole, or refused. */
async function fateOf(bytes: Uint8Array): Promise<string> {
  await fs.writeFile(database, bytes);
  const fate = await refusal(async () => {
    const store = await open(true);
    try {
      await readAll(store);
    } finally {
      await store.close();
    }
  });
  expect((await fs.readFile(database)).equals(bytes)).toBe(true);
  return fate;
}

describe('a damaged database file', () => {
  it('is refused as damaged, or readable, with zeroed pages wherever they are, and never written', async () => {
    await makeStore();
    const sound = await fs.readFile(database);
    const pages = fc.uniqueArray(fc.nat(sound.length / 4_096 - 1), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(pages, async (zeroed) => {
        const bytes = Buffer.from(sound);
        for (const page of zeroed) bytes.fill(0, page * 4_096, (page + 1) * 4_096);
        expect(['opened', 'ERR_STORE_DAMAGED']).toContain(await fateOf(bytes));
      }),
      { numRuns: 60 * TIMES },
    );
  });

  it('never throws an untyped error with bytes overwritten wherever they are', async () => {
    await makeStore();
    const sound = await fs.readFile(database);
    const wound = fc.tuple(
      fc.nat(sound.length - 1),
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(wound, { minLength: 1, maxLength: 30 }), async (wounds) => {
        const bytes = Buffer.from(sound);
        for (const [at, garbage] of wounds) {
          bytes.set(garbage.subarray(0, bytes.length - at), at);
        }
        expect(await fateOf(bytes)).toMatch(/^(opened|ERR_(STORE|KEY)_\w+)$/u);
      }),
      { numRuns: 150 * TIMES },
    );
  });

  it('is refused as damaged when it was cut, at any length', async () => {
    await makeStore();
    const sound = await fs.readFile(database);
    await fc.assert(
      fc.asyncProperty(fc.nat(sound.length - 4_097), async (length) => {
        expect(await fateOf(sound.subarray(0, length))).toBe('ERR_STORE_DAMAGED');
      }),
      { numRuns: 40 * TIMES, examples: [[0], [1], [99], [100], [4_096]] },
    );
  });

  it('is refused as damaged when its header is garbage', async () => {
    await makeStore();
    const bytes = await fs.readFile(database);
    await fs.writeFile(database, Buffer.concat([Buffer.alloc(100, 0xa5), bytes.subarray(100)]));
    await expectRefused('ERR_STORE_DAMAGED');
  });

  it.each([
    ['has lost its identity', `DELETE FROM meta`],
    ['has lost its data keys', `DELETE FROM data_key`],
    ['no longer tells its data key', `DELETE FROM meta WHERE key = 'data_key'`],
    [
      'tells its master key in words that are no JSON',
      `UPDATE meta SET value = '{' WHERE key = 'master_key'`,
    ],
    ['has lost a table', `DROP TABLE meta`],
  ])('is refused as damaged when it %s', async (_what, sql) => {
    await makeStore();
    change(sql);
    await expectRefused('ERR_STORE_DAMAGED');
  });

  it('is told as damaged when a row that is read holds no JSON', async () => {
    await makeStore();
    change(`UPDATE connection SET facts = '{'`);
    const store = await open(false);
    expect(await refusal(() => store.list())).toBe('ERR_STORE_DAMAGED');
    await store.close();
  });

  it('goes on with all other connections when the claim of one is no JSON, and ends', async () => {
    await makeStore();
    change(`UPDATE connection SET claim = '{' WHERE id = 'connection-3'`);
    const store = await open(false);
    await fs.writeFile(path.join(home.folder, 'run', 'dead.life'), '', { mode: 0o600 });
    const owner = await store.claims.identify();
    const claim = { owner, attemptId: 'attempt-1', claimedAt: 1 };
    await store.transition('connection-4', () => ({ result: true, connection: { claim } }), {
      durable: true,
    });
    await store.tidy();
    expect(await store.remembersAfter(2_000)).toBe(false);
    expect(await refusal(() => store.read('connection-3'))).toBe('ERR_STORE_DAMAGED');
    expect(await store.findDamage()).toHaveLength(1);
    await store.close();
  });

  it('is no store yet when it is empty and never was one', async () => {
    await fs.mkdir(home.folder, { mode: 0o700 });
    await fs.writeFile(database, '', { mode: 0o600 });
    expect(await refusal(() => open(false))).toBe('ERR_STORE_MISSING');
    expect((await fs.stat(database)).size).toBe(0);
    expect(await refusal(async () => (await open(true)).close())).toBe('opened');
  });
});

/** Runs SQL in the database file as a person with a tool would. */
function change(sql: string): void {
  const connection = new DatabaseSync(database);
  connection.exec(sql);
  connection.close();
}

describe('a file that is no store of this version', () => {
  beforeEach(() => fs.mkdir(home.folder, { mode: 0o700 }));

  async function foreign(sql: string): Promise<void> {
    change(sql);
    await fs.chmod(database, 0o600);
  }

  it('is refused as foreign with the application id of another program', async () => {
    await foreign('PRAGMA application_id = 1234; CREATE TABLE theirs (x)');
    await expectRefused('ERR_STORE_FOREIGN');
  });

  it('is refused as foreign with the application id of another program and no table', async () => {
    await foreign('PRAGMA application_id = 1234');
    await expectRefused('ERR_STORE_FOREIGN');
  });

  it('is refused as foreign with tables of another program that gave no id', async () => {
    await foreign('CREATE TABLE theirs (x)');
    await expectRefused('ERR_STORE_FOREIGN');
  });

  it.each(['just some text\n', 'xy', 'long text '.repeat(2_000)])(
    'is refused as text',
    async (text) => {
      await fs.writeFile(database, text, { mode: 0o600 });
      await expectRefused('ERR_STORE_DAMAGED');
    },
  );

  it('is refused when a newer evergrant wrote it', async () => {
    await (await home.open()).close();
    change('PRAGMA user_version = 999');
    await expectRefused('ERR_STORE_TOO_NEW');
  });
});

describe('a store that another connection has locked', () => {
  it('is refused as locked when even reading is shut out', async () => {
    await makeStore();
    const other = new DatabaseSync(database);
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    expect(await refusal(() => open(false))).toBe('ERR_STORE_LOCKED');
    expect(await refusal(() => open(true))).toBe('ERR_STORE_LOCKED');
    other.exec('ROLLBACK');
    other.close();
    const store = await open(false);
    await readAll(store);
    await store.close();
  });

  it('opens and reads during an exclusive transaction, and refuses to write', async () => {
    await makeStore();
    const other = new DatabaseSync(database);
    other.exec('BEGIN EXCLUSIVE');
    const store = await open(false);
    await readAll(store);
    expect(await refusal(() => store.rename('connection-1', 'other'))).toBe('ERR_STORE_LOCKED');
    other.exec('ROLLBACK');
    other.close();
    await store.rename('connection-1', 'other');
    await store.close();
  });

  it('is refused as locked when it cannot be made', async () => {
    await fs.mkdir(home.folder, { mode: 0o700 });
    await fs.writeFile(database, '', { mode: 0o600 });
    const other = new DatabaseSync(database);
    other.exec('BEGIN EXCLUSIVE');
    expect(await refusal(() => open(true))).toBe('ERR_STORE_LOCKED');
    other.close();
  });
});

describe('a store or key that is missing or wrong', () => {
  it('is not made without leave', async () => {
    expect(await refusal(() => open(false))).toBe('ERR_STORE_MISSING');
    await expect(fs.stat(home.folder)).rejects.toThrow('ENOENT');
    await fs.mkdir(home.folder, { mode: 0o700 });
    expect(await refusal(() => open(false))).toBe('ERR_STORE_MISSING');
    expect(await fs.readdir(home.folder)).toEqual([]);
  });

  it('is refused without its key file, which is not made anew', async () => {
    await makeStore();
    await fs.rm(home.keyFile);
    await expectRefused('ERR_KEY_MISSING');
    await expect(fs.stat(home.keyFile)).rejects.toThrow('ENOENT');
  });

  it.each(['', '\n', 'garbage', 'evergrant-key-1:', 'evergrant-key-1:c2hvcnQ'])(
    'is refused with a key file that holds %j',
    async (text) => {
      await makeStore();
      await fs.writeFile(home.keyFile, text);
      await expectRefused('ERR_KEY_WRONG');
      expect(await fs.readFile(home.keyFile, 'utf8')).toBe(text);
    },
  );

  it('is refused with the key of another store', async () => {
    await makeStore();
    const other = await sqliteHome();
    await (await other.open()).close();
    await fs.copyFile(other.keyFile, home.keyFile);
    await other.remove();
    await expectRefused('ERR_KEY_WRONG');
  });
});

describe('what others could have read or replaced', () => {
  const places = (): Record<string, string> => ({
    folder: home.folder,
    database,
    key: home.keyFile,
  });

  it.each([
    ['folder', 0o755],
    ['folder', 0o710],
    ['database', 0o644],
    ['database', 0o660],
    ['key', 0o644],
    ['key', 0o640],
  ])('is refused: %s with mode %o', async (place, mode) => {
    await makeStore();
    const file = places()[place] ?? '';
    await fs.chmod(file, mode);
    await expectRefused('ERR_STORE_UNSAFE');
    expect((await fs.stat(file)).mode & 0o777).toBe(mode);
  });

  const odd: Record<string, (file: string) => Promise<void>> = {
    'a symbolic link': async (file) => {
      await fs.rename(file, `${file}.real`).catch(() => fs.writeFile(`${file}.real`, 'theirs'));
      await fs.symlink(`${file}.real`, file);
    },
    'a dangling link': async (file) => {
      await fs.rm(file, { force: true });
      await fs.symlink(`${file}.nowhere`, file);
    },
    'a second hard link': async (file) => {
      const made = await fs.open(file, 'a', 0o600);
      await made.close();
      await fs.link(file, `${file}.second`);
    },
    'a pipe': async (file) => {
      await fs.rm(file, { force: true });
      execFileSync('mkfifo', ['-m', '600', file]);
    },
    'a folder': async (file) => {
      await fs.rm(file, { force: true });
      await fs.mkdir(file, { mode: 0o700 });
    },
  };
  const oddities = Object.keys(odd);

  it.each(oddities.flatMap((what) => ['database', 'key'].map((place) => [what, place])))(
    'is refused: %s in place of the %s',
    async (what, place) => {
      await makeStore();
      const file = places()[place] ?? '';
      await odd[what]?.(file);
      const before = await fs.lstat(file);
      expect(await refusal(() => open(false))).toBe('ERR_STORE_UNSAFE');
      expect(await refusal(() => open(true))).toBe('ERR_STORE_UNSAFE');
      expect((await fs.lstat(file)).ino).toBe(before.ino);
      await expect(fs.stat(`${file}.nowhere`)).rejects.toThrow('ENOENT');
    },
  );

  it.each(oddities)('is refused: %s in place of the settings', async (what) => {
    const folder = path.dirname(home.folder);
    await odd[what]?.(path.join(folder, 'settings.json'));
    const options = { home: folder, key: { file: home.keyFile } };
    expect(await refusal(() => openHome(options))).toBe('ERR_STORE_UNSAFE');
    expect(await fs.readdir(folder)).not.toContain('store');
  });

  it.each(oddities)('is refused: %s in place of a spilled answer', async (what) => {
    const store = await home.open();
    const spills = path.join(path.dirname(home.folder), 'spill');
    await fs.mkdir(spills, { mode: 0o700 });
    await odd[what]?.(path.join(spills, 'attempt-1.spill'));
    expect(await refusal(() => new Spills(spills, store).find('attempt-1'))).toBe(
      'ERR_STORE_UNSAFE',
    );
    await store.close();
  });

  it.each(oddities.filter((what) => what !== 'a folder'))(
    'is refused: %s in place of the folder of spilled answers',
    async (what) => {
      const store = await home.open();
      const folder = path.join(path.dirname(home.folder), 'spill');
      await odd[what]?.(folder);
      const tokens = connectionRecord(store, 'connection-1').tokens;
      if (tokens === undefined) throw new TypeError('no tokens');
      const attempt = { attemptId: 'attempt-1', grantId: 'grant-1', generation: 1 };
      const spill = { connectionId: 'connection-1', attempt, tokens, unusableType: undefined };
      const spills = new Spills(folder, store);
      for (const use of [
        () => spills.write(spill as never),
        () => spills.find('attempt-1'),
        () => spills.attempts(),
      ]) {
        expect(await refusal(use)).toBe('ERR_STORE_UNSAFE');
      }
      await store.close();
    },
  );

  it.each([
    ['find', 0o755],
    ['find', 0o710],
    ['attempts', 0o755],
  ] as const)('is refused: %s in a folder of spilled answers with mode %o', async (use, mode) => {
    const store = await home.open();
    const folder = path.join(path.dirname(home.folder), 'spill');
    await fs.mkdir(folder);
    await fs.chmod(folder, mode);
    expect(await refusal(() => new Spills(folder, store)[use]('attempt-1'))).toBe(
      'ERR_STORE_UNSAFE',
    );
    await store.close();
  });

  it('tells settings that are no JSON as a mistake in them, not in the store', async () => {
    const folder = path.dirname(home.folder);
    await fs.writeFile(path.join(folder, 'settings.json'), '{', { mode: 0o600 });
    const opening = openHome({ home: folder, key: { file: home.keyFile } });
    await expect(opening).rejects.toBeInstanceOf(ConfigurationError);
  });
});
