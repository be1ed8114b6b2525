import {
  chmod,
  cp,
  link,
  mkdtemp,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tokenAtHand } from '../../../src/keeper/at-hand.ts';
import { openHome } from '../../../src/keeper.ts';

/*
 * The short way to a token must hand out what a keeper would, and nothing where a keeper would do anything else first.
 */

const HOUR_MS = 3_600_000;
const ACCESS_TOKEN = 'a~valid-token';

let folder: string;
let home: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(await realpath(tmpdir()), 'evergrant-at-hand-'));
  home = path.join(folder, 'home');
  const { keeper } = await openHome({ home });
  await addTo(keeper, 'talk', HOUR_MS);
  await addTo(keeper, 'ended', 1);
  await keeper.close();
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

type Keeper = Awaited<ReturnType<typeof openHome>>['keeper'];

async function addTo(keeper: Keeper, name: string, lifeMs: number): Promise<void> {
  await keeper.add(name, {
    provider: 'generic',
    client: { clientId: 'client', clientSecret: 'secret' },
    overrides: { tokenEndpoint: 'https://127.0.0.1:9/token' },
    tokens: {
      refreshToken: 'a~refresh-token',
      accessToken: ACCESS_TOKEN,
      accessExpiresAt: Date.now() + lifeMs,
    },
  });
}

function atHand(name = 'talk', from = home): string | undefined {
  return tokenAtHand(name, { home: from, environment: {} })?.reveal();
}

/** Works on the database as nobody but evergrant should. */
function meddle(sql: string): void {
  const database = new DatabaseSync(path.join(home, 'store/evergrant.db'));
  database.exec(sql);
  database.close();
}

describe('a token that lives', () => {
  it('is at hand, at the home that is named and at that of the environment', () => {
    expect(atHand()).toBe(ACCESS_TOKEN);
    const environment = { EVERGRANT_HOME: home };
    expect(tokenAtHand('talk', { home: undefined, environment })?.reveal()).toBe(ACCESS_TOKEN);
  });

  it('is at hand while a keeper is at work in the same home', async () => {
    const { keeper } = await openHome({ home });
    await addTo(keeper, 'another', HOUR_MS);
    expect(atHand('another')).toBe(ACCESS_TOKEN);
    await keeper.close();
    expect(atHand('another')).toBe(ACCESS_TOKEN);
  });

  it('is at hand though its connection is paused, as a keeper serves it', async () => {
    const { keeper } = await openHome({ home });
    await keeper.connection('talk').pause();
    expect((await keeper.connection('talk').token()).value).toBe(ACCESS_TOKEN);
    await keeper.close();
    expect(atHand()).toBe(ACCESS_TOKEN);
  });

  it('leaves the store as it was', async () => {
    for (let i = 0; i < 3; i++) expect(atHand()).toBe(ACCESS_TOKEN);
    const { keeper, store } = await openHome({ home });
    expect((await keeper.connection('talk').token()).value).toBe(ACCESS_TOKEN);
    expect(await store.findDamage()).toEqual([]);
    expect((await store.copyStatus()).epoch).toBe(1);
    await keeper.close();
  });
});

describe('there is no token at hand', () => {
  const cases: Readonly<Record<string, () => unknown>> = {
    'under a name that nobody has': () => atHand('nobody'),
    'when it has expired': () => atHand('ended'),
    'where no home is': () => atHand('talk', path.join(folder, 'nowhere')),
    'in a copied home, whose refresh tokens may be in use elsewhere': async () => {
      const copy = path.join(folder, 'copy');
      await cp(home, copy, { recursive: true, mode: 0 });
      return atHand('talk', copy);
    },
    'when the mark is missing': async () => {
      await rm(path.join(home, 'key/store.mark'));
      return atHand();
    },
    'when the store is older than its mark says': async () => {
      const { keeper, store } = await openHome({ home });
      const { storeId } = store;
      await keeper.close();
      await writeFile(path.join(home, 'key/store.mark'), `${storeId} 1000\n`, { mode: 0o600 });
      return atHand();
    },
    'when there are settings to be judged': async () => {
      await writeFile(path.join(home, 'settings.json'), '{}', { mode: 0o600 });
      return atHand();
    },
    'when a notice waits to be told': () => {
      meddle(
        `INSERT INTO notice (kind, actor, at, message) VALUES ('attention', 'owner', 1, 'act')`,
      );
      return atHand();
    },
    'when an attempt was left in doubt': () => {
      meddle(`UPDATE connection SET intent = '{}' WHERE name = 'talk'`);
      return atHand();
    },
    'when its row was altered': () => {
      meddle(`UPDATE connection SET grant_id = 'another' WHERE name = 'talk'`);
      return atHand();
    },
    'when the token was swapped for that of another connection': () => {
      meddle(`UPDATE connection SET access_token =
        (SELECT access_token FROM connection WHERE name = 'ended') WHERE name = 'talk'`);
      return atHand();
    },
    'when the store was written by a newer evergrant': () => {
      meddle('PRAGMA user_version = 1000');
      return atHand();
    },
    'when the database is of another program': () => {
      meddle('PRAGMA application_id = 7');
      return atHand();
    },
    'when the master key is missing': async () => {
      await rm(path.join(home, 'key/master.key'));
      return atHand();
    },
    'when the master key is another': async () => {
      const other = Buffer.alloc(32, 1).toString('base64url');
      await writeFile(path.join(home, 'key/master.key'), `evergrant-key-1:${other}\n`);
      return atHand();
    },
    'when the key file has a second link': async () => {
      await link(path.join(home, 'key/master.key'), path.join(folder, 'second.key'));
      return atHand();
    },
    'when the key file is behind a link': async () => {
      await rename(path.join(home, 'key/master.key'), path.join(folder, 'moved.key'));
      await symlink(path.join(folder, 'moved.key'), path.join(home, 'key/master.key'));
      return atHand();
    },
  };
  it.each(Object.entries(cases))('%s', async (_, ask) => {
    expect(await ask()).toBeUndefined();
  });

  it.each([
    ['.', 0o755],
    ['store', 0o750],
    ['store/run', 0o755],
    ['store/evergrant.db', 0o644],
    ['key', 0o755],
    ['key/master.key', 0o640],
    ['key/store.mark', 0o604],
  ])('when others could open %s', async (part, mode) => {
    await chmod(path.join(home, part), mode);
    expect(atHand()).toBeUndefined();
  });
});
