import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect, isDeepStrictEqual } from 'node:util';
import { Spills, type Spill } from '../../../src/refresh/spill.ts';
import type { SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import type { Canary } from '../../support/leaks.ts';
import { sqliteHome } from '../../support/sqlite-home.ts';
import { tokenSet } from '../../support/store-records.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileJson, hostileText, mutate } from '../hostile.ts';
import { breachOfError, breachOfPrototype } from '../judge.ts';

/*
 * Spill files, which may hold the only copy of a token: damaged, exchanged, forged. What comes out is what was put in, or nothing; and
 * what cannot be read is kept.
 */

const CANARIES: readonly Canary[] = [
  { kind: 'access token', value: 'accessToken 2' },
  { kind: 'refresh token', value: 'refreshToken 2' },
];

function spillOf(store: SqliteStore, attemptId: string): Spill {
  const attempt = { attemptId, grantId: 'grant-1', generation: 1 };
  const tokens = tokenSet(store, 'connection-1', 2);
  return {
    connectionId: 'connection-1',
    attempt,
    tokens,
    unusableType: undefined,
  } as unknown as Spill;
}

interface Files {
  readonly spills: Spills;
  readonly file: string;
  readonly own: Buffer;
  readonly others: readonly Buffer[];
  readonly written: Spill;
}

function hostileFile(dice: Dice, { own, others }: Files): Uint8Array {
  if (dice.chance(0.1)) return dice.pick(others);
  if (dice.chance(0.4)) return mutate(dice, own, 0.6);
  const members = JSON.parse(own.toString('utf8')) as Record<string, unknown>;
  const other = JSON.parse(dice.pick(others).toString('utf8')) as Record<string, unknown>;
  const name = dice.pick(Object.keys(members));
  const json = dice.pick<() => string>([
    () => JSON.stringify(other[name]),
    () => JSON.stringify(hostileText(dice)),
    () => hostileJson(dice, 3),
    () => JSON.stringify({ id: hostileText(dice), wrapped: hostileText(dice) }),
  ])();
  const pairs = Object.entries(members).map(([key, value]) => {
    return `${JSON.stringify(key)}:${key === name ? json : JSON.stringify(value)}`;
  });
  return Buffer.from(`{${pairs.join(',')}}`);
}

type Find = (spills: Spills) => Promise<Spill | undefined>;

const sound: Find = (spills) => spills.find('attempt-1');

const DEFECTS: Readonly<Record<string, (files: Files) => Find>> = {
  'takes a file for no file where it cannot read it': () => async (spills) => {
    return await sound(spills).catch(() => undefined);
  },
  'removes what it cannot read': () => async (spills) => {
    try {
      return await sound(spills);
    } catch (error) {
      await spills.remove('attempt-1');
      throw error;
    }
  },
  'throws what JSON throws':
    ({ file }) =>
    async (spills) => {
      JSON.parse(await readFile(file, 'utf8'));
      return sound(spills);
    },
};

async function attackOnce(dice: Dice, files: Files, find: Find): Promise<Sight> {
  const bytes = Buffer.from(hostileFile(dice, files));
  await writeFile(files.file, bytes, { mode: 0o600 });
  const input = inspect(bytes.toString('latin1'));
  const sight = await visit(files, find);
  const isKept = await readFile(files.file).then(
    (now) => now.equals(bytes),
    () => false,
  );
  return { ...sight, breach: sight.breach ?? (isKept ? undefined : 'not kept'), input };
}

async function visit({ spills, written }: Files, find: Find): Promise<Omit<Sight, 'input'>> {
  try {
    const found = await find(spills);
    if (found === undefined) return { met: 'nothing', breach: 'a spill went unseen' };
    const isOwn = isDeepStrictEqual(plain(found), plain(written));
    return {
      met: 'found',
      breach: breachOfPrototype() ?? (isOwn ? undefined : `found ${inspect(found)}`),
    };
  } catch (error) {
    return { met: 'refused', breach: breachOfError(error, CANARIES) };
  }
}

/** Bytes come back as another kind of bytes. */
function plain(spill: Spill): unknown {
  return JSON.parse(
    JSON.stringify(spill, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
    ),
    (_, value: unknown) => {
      const buffer = value as { type?: unknown; data?: number[] } | null;
      return buffer?.type === 'Buffer' ? Buffer.from(buffer.data ?? []).toString('hex') : value;
    },
  );
}

/** Spill files. */
export const spillFiles: Fuzzer = {
  name: 'spill-files',
  trials: 1_000,
  fullTrials: 50_000,
  reaches: ['found', 'refused'],
  defects: Object.keys(DEFECTS),
  async open(defect): Promise<Door> {
    const home = await sqliteHome();
    const store = await home.open();
    const stranger = await sqliteHome();
    const strange = await stranger.open();
    const folder = path.join(path.dirname(home.folder), 'spill');
    const foreign = path.join(path.dirname(stranger.folder), 'spill');
    const spills = new Spills(folder, store);
    const written = spillOf(store, 'attempt-1');
    await spills.write(written);
    await spills.write(spillOf(store, 'attempt-2'));
    await new Spills(foreign, strange).write(spillOf(strange, 'attempt-1'));
    const file = path.join(folder, 'attempt-1.spill');
    const files: Files = {
      spills,
      file,
      written,
      own: await readFile(file),
      others: [
        await readFile(path.join(folder, 'attempt-2.spill')),
        await readFile(path.join(foreign, 'attempt-1.spill')),
      ],
    };
    return {
      attack: (dice) =>
        attackOnce(dice, files, defect === undefined ? sound : DEFECTS[defect]!(files)),
      async [Symbol.asyncDispose]() {
        await store.close();
        await strange.close();
        await home.remove();
        await stranger.remove();
      },
    };
  },
};
