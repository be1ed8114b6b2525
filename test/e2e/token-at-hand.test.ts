import { chmod, cp, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LIVING_TOKEN, makeHomeOfTokens } from '../support/living-token.ts';
import { evergrant, type Ended } from '../support/run-evergrant.ts';

/*
 * `evergrant token NAME` alone may take the short way to a token; with `--timeout` it goes through a keeper. Nobody can tell which it was.
 */

let folder: string;
let home: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(await realpath(tmpdir()), 'evergrant-at-hand-'));
  home = path.join(folder, 'home');
  await makeHomeOfTokens(home, { talk: 3_600_000, ended: 1 });
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Case {
  readonly name: string;
  readonly connection?: string;
  readonly code: number;
  /** What becomes of the home before. @returns the homes to ask by either way, where that is not `home`. */
  readonly prepare?: () => Promise<readonly [string, string]>;
}

const cases: readonly Case[] = [
  { name: 'a token that lives', code: 0 },
  { name: 'an unknown name', connection: 'tallk', code: 3 },
  { name: 'a token that ended', connection: 'ended', code: 7 },
  {
    name: 'no home',
    code: 9,
    prepare: async () => [path.join(folder, 'nowhere'), path.join(folder, 'nowhere')],
  },
  {
    name: 'a key that others can read',
    code: 9,
    prepare: async () => {
      await chmod(path.join(home, 'key/master.key'), 0o644);
      return [home, home];
    },
  },
  {
    // Whoever is the first to meet a copy tells it.
    name: 'a copied home',
    code: 0,
    prepare: async () => [await copyTo('copy'), await copyTo('again')],
  },
];

async function copyTo(name: string): Promise<string> {
  const copy = path.join(folder, name);
  await cp(home, copy, { recursive: true });
  return copy;
}

it.each(cases)(
  'says the same by the short way and through a keeper: $name',
  async ({ connection = 'talk', code, prepare }) => {
    const [one, other] = (await prepare?.()) ?? [home, home];
    const alone = await evergrant(['token', connection, '--home', one]);
    expect(alone.code).toBe(code);
    expect(alone.stdout).toBe(code === 0 ? `${LIVING_TOKEN}\n` : '');
    const byKeeper = ['token', connection, '--timeout', '30s', '--home', other];
    expect(withoutTimes(alone)).toEqual(withoutTimes(await evergrant(byKeeper)));
  },
);

/** Back-offs are drawn by chance. */
function withoutTimes({ stderr, ...rest }: Ended): Ended {
  return { ...rest, stderr: stderr.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\bin \d+ \w+/g, 'later') };
}

it('prints a token of the home in the environment, and nothing else', async () => {
  const ended = await evergrant(['token', 'talk'], { env: { EVERGRANT_HOME: home } });
  expect(ended).toEqual({ code: 0, stdout: `${LIVING_TOKEN}\n`, stderr: '' });
});

it('leaves another key than the usual one to a keeper, which says what is wrong with it', async () => {
  const env = { EVERGRANT_HOME: home, EVERGRANT_KEY_FILE: path.join(folder, 'no.key') };
  const ended = await evergrant(['token', 'talk'], { env });
  expect(ended).toMatchObject({ code: 9, stdout: '' });
  expect(ended.stderr).toContain('no.key');
});
