import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EvergrantError, StoreError } from '../../../src/errors.ts';
import { openHome, type OpenHome } from '../../../src/keeper.ts';
import { fakeHttp } from '../../support/fake-http.ts';
import { hastyClock } from '../../support/hasty-clock.ts';
import type { Canary } from '../../support/leaks.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { mutate } from '../hostile.ts';
import { breachOfError } from '../judge.ts';

/*
 * A home whose files are damaged: the database, its log, the key, the mark. What is served is what was stored under that name, what is
 * refused has its reason, and nothing is made anew in place of what is broken.
 */

const NOW = Date.UTC(2026, 5, 1);
const NAMES = ['a', 'b', 'c'];
const tokenOf = (name: string): string => `canary.access-token_${name}_90cc1e`;
const refreshTokenOf = (name: string): string => `canary.refresh-token_${name}_17ab44`;
const CANARIES: readonly Canary[] = NAMES.flatMap((name) => [
  { kind: 'access token', value: tokenOf(name) },
  { kind: 'refresh token', value: refreshTokenOf(name) },
]);

const FILES = ['store/evergrant.db', 'store/evergrant.db-wal', 'key/master.key', 'key/store.mark'];
type Image = ReadonlyMap<string, Uint8Array>;

function open(home: string): Promise<OpenHome> {
  return openHome({ home, clock: hastyClock(NOW), http: fakeHttp(() => 'unreachable') });
}

/** A home in good order. */
interface Filled {
  /** Its files as they lie while it is in use, when the log is full, and afterwards, when there is none. */
  readonly images: readonly Image[];
  /** What each of its connections alone depends on. */
  readonly sealed: readonly Uint8Array[];
}

async function fill(home: string): Promise<Filled> {
  const { keeper } = await open(home);
  for (const name of NAMES) {
    await keeper.add(name, {
      provider: 'generic',
      client: { clientId: 'c', clientSecret: 'canary.client-secret' },
      overrides: { tokenEndpoint: 'https://as.example/token', rotation: 'reusable' },
      tokens: {
        refreshToken: refreshTokenOf(name),
        accessToken: tokenOf(name),
        accessExpiresAt: NOW + 365 * 86_400_000,
      },
    });
  }
  const inUse = imageOf(home);
  await keeper.close();
  return { images: [inUse, imageOf(home)], sealed: sealedTokens(home) };
}

/** The sealed access tokens, as they lie in the files. */
function sealedTokens(home: string): readonly Uint8Array[] {
  const database = new DatabaseSync(path.join(home, FILES[0] ?? ''), { readOnly: true });
  try {
    const rows = database.prepare('SELECT access_token AS sealed FROM connection').all();
    return rows.map(({ sealed }) => sealed as Uint8Array);
  } finally {
    database.close();
  }
}

function imageOf(home: string): Image {
  const there = FILES.filter((file) => fs.existsSync(path.join(home, file)));
  return new Map(there.map((file) => [file, fs.readFileSync(path.join(home, file))]));
}

/** In place, so that the files stay themselves: another inode would make a copy of the home. */
function lay(home: string, image: Image): void {
  for (const file of [...FILES, 'store/evergrant.db-shm']) {
    const bytes = image.get(file);
    const target = path.join(home, file);
    if (bytes === undefined) fs.rmSync(target, { force: true });
    else fs.writeFileSync(target, bytes, { mode: 0o600 });
  }
}

function damage(dice: Dice, file: string, bytes: Uint8Array): Uint8Array {
  if (!file.startsWith('store/')) return mutate(dice, bytes, 0.6);
  const damaged = Buffer.from(bytes);
  const PAGE = 4_096;
  for (let wounds = 1 + dice.below(8); wounds > 0; wounds--) {
    const at = dice.below(Math.max(1, damaged.length));
    const page = at - (at % PAGE);
    const other = dice.below(Math.ceil(damaged.length / PAGE)) * PAGE;
    switch (dice.below(5)) {
      case 0:
        damaged.subarray(page, page + PAGE).fill(0);
        break;
      case 1:
        damaged.copy(damaged, page, other, other + PAGE);
        break;
      case 2:
        damaged.set(dice.bytes(1 + dice.below(64)).subarray(0, damaged.length - at), at);
        break;
      default:
        damaged[at] = (damaged[at] ?? 0) ^ (1 << dice.below(8));
    }
  }
  return dice.chance(0.1) ? damaged.subarray(0, dice.below(damaged.length)) : damaged;
}

/** Flips a bit of one sealed value wherever a file holds it, which leaves the rest of the home sound. */
function damageOne(dice: Dice, sealed: Uint8Array, image: Image): Image {
  const offset = dice.below(sealed.length);
  const bit = 1 << dice.below(8);
  return new Map(
    [...image].map(([file, bytes]) => {
      const damaged = Buffer.from(bytes);
      for (let at = damaged.indexOf(sealed); at >= 0; at = damaged.indexOf(sealed, at + 1))
        damaged[at + offset] = (damaged[at + offset] ?? 0) ^ bit;
      return [file, damaged];
    }),
  );
}

type Ask = (opened: OpenHome, name: string) => Promise<string>;

const sound: Ask = async ({ keeper }, name) => (await keeper.connection(name).token()).value;

const DEFECTS: Readonly<
  Record<string, { readonly ask?: Ask; readonly before?: (home: string) => void }>
> = {
  'serves the token of a neighbour': {
    ask: (opened, name) => sound(opened, name).catch(() => sound(opened, name === 'a' ? 'b' : 'a')),
  },
  'throws what SQLite throws': {
    before: (home) => {
      const database = new DatabaseSync(path.join(home, FILES[0] ?? ''), { readOnly: true });
      try {
        database.prepare('SELECT * FROM connection').all();
      } finally {
        database.close();
      }
    },
  },
  'makes a new key in place of a broken one': {
    before: (home) => {
      const key = path.join(home, 'key/master.key');
      if (fs.readFileSync(key, 'utf8').length !== 60)
        fs.writeFileSync(key, `evergrant-key-1:${'A'.repeat(43)}\n`);
    },
  },
};

class DamagedHome implements Door {
  readonly #home: string;
  readonly #filled: Filled;
  readonly #defect: (typeof DEFECTS)[string];

  constructor(home: string, filled: Filled, defect: string | undefined) {
    this.#home = home;
    this.#filled = filled;
    this.#defect = defect === undefined ? {} : (DEFECTS[defect] ?? {});
  }

  async attack(dice: Dice): Promise<Sight> {
    const { image, input } = this.#damaged(dice);
    lay(this.#home, image);
    const { met, breach } = await this.#visit();
    return { met, breach: breach ?? this.#breachOfFiles(met, image), input };
  }

  #damaged(dice: Dice): { readonly image: Image; readonly input: string } {
    const { images, sealed } = this.#filled;
    const image = new Map(dice.pick(images));
    if (dice.chance(0.1))
      return { image: damageOne(dice, dice.pick(sealed), image), input: 'damaged one token' };
    const file = dice.pick([...image.keys(), FILES[0] ?? '']);
    image.set(file, damage(dice, file, image.get(file) ?? new Uint8Array()));
    return { image, input: `damaged ${file}` };
  }

  async #visit(): Promise<Pick<Sight, 'met' | 'breach'>> {
    let opened: OpenHome;
    try {
      this.#defect.before?.(this.#home);
      opened = await open(this.#home);
    } catch (error) {
      const code = error instanceof StoreError ? 'refused' : 'other';
      return { met: code, breach: breachOfError(error, CANARIES) };
    }
    const { ask = sound } = this.#defect;
    let served = 0;
    try {
      for (const name of NAMES) {
        try {
          const value = await ask(opened, name);
          if (value !== tokenOf(name)) return { met: 'served', breach: `${name} got ${value}` };
          served++;
        } catch (error) {
          const breach = breachOfError(error, CANARIES);
          if (breach !== undefined) return { met: 'refused', breach };
        }
      }
      return {
        met: served === NAMES.length ? 'served' : served === 0 ? 'nothing left' : 'served in part',
      };
    } finally {
      // A damaged store may refuse its last words, too.
      await opened.keeper.close().catch((error: unknown) => {
        if (!(error instanceof EvergrantError)) throw error;
      });
    }
  }

  /** A refused file stays as it is, for whoever repairs it; keys are never made anew. */
  #breachOfFiles(met: string, image: Image): string | undefined {
    const kept = met === 'refused' ? ['store/evergrant.db', 'key/master.key'] : ['key/master.key'];
    // What lies in a log belongs into the database: writing it there is no change.
    const files = kept.filter((file) => !(file.endsWith('.db') && image.has(`${file}-wal`)));
    const changed = files.find((file) => {
      const bytes = image.get(file);
      return bytes !== undefined && !fs.readFileSync(path.join(this.#home, file)).equals(bytes);
    });
    return changed === undefined ? undefined : `${changed} was changed`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of what was done to it lasts: with its own files it serves everything.
    lay(this.#home, this.#filled.images.at(-1) ?? new Map());
    const { met, breach } = await this.#visit();
    fs.rmSync(this.#home, { recursive: true, force: true });
    if (met !== 'served' && this.#defect.ask === undefined && this.#defect.before === undefined)
      throw new Error(`the home does not come back: ${met} ${breach ?? ''}`);
  }
}

/** The files of a home. */
export const homeFiles: Fuzzer = {
  name: 'home-files',
  trials: 300,
  fullTrials: 10_000,
  reaches: ['served', 'served in part', 'refused'],
  defects: Object.keys(DEFECTS),
  async open(defect): Promise<Door> {
    const folder = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    const home = fs.mkdtempSync(path.join(folder, 'evergrant-fuzz-'));
    return new DamagedHome(home, await fill(home), defect);
  },
};
