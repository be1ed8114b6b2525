import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openKeeper } from '../../../src/keeper.ts';
import { tokenAtHand } from '../../../src/keeper/at-hand.ts';
import { checkParents } from '../../../src/system/parents.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import { setSabotage } from '../../support/failpoints.ts';

const UNSAFE = { code: 'ERR_STORE_UNSAFE' };

let folder: string;
/** A folder between two of this user's. */
let between: string;

beforeEach(async () => {
  folder = await makeTemporaryFolder('evergrant-parents-');
  between = path.join(folder, 'between');
  mkdirSync(path.join(between, 'below'), { recursive: true });
});

afterEach(async () => {
  setSabotage('parents-check', false);
  await removeFolder(folder);
});

const at = (...parts: string[]): string => path.join(between, ...parts);

async function openAndClose(home: string, create = true): Promise<void> {
  await using keeper = await openKeeper({ home, create });
  await keeper.list();
}

describe('the folders above a home', () => {
  it.each([0o777, 0o757, 0o702])(
    'are refused when every user may write there: mode %o',
    async (mode) => {
      chmodSync(between, mode);
      for (const home of [at('home'), at('below', 'home'), at('to', 'come', 'home')]) {
        await expect(openKeeper({ home })).rejects.toMatchObject({
          ...UNSAFE,
          message: expect.stringMatching(
            `^every user may write in ${between}, .*; chmod o-w ${between}, or choose another home$`,
          ) as unknown,
        });
      }
    },
  );

  it.each([0o700, 0o755, 0o775, 0o1777, 0o1757])('are good: mode %o', async (mode) => {
    chmodSync(between, mode);
    await openAndClose(at('below', 'home'));
    await openAndClose(at('below', 'home'), false);
  });

  it('are refused when another user owns one, who may give himself every right', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('not run: to give a folder away needs root');
    chownSync(between, 65_534, 65_534);
    chmodSync(between, 0o1755);
    const opening = openKeeper({ home: at('below', 'home') });
    await expect(opening).rejects.toMatchObject(UNSAFE);
    await expect(opening).rejects.toThrow(`another user may write in ${between}`);
  });

  it('count on both sides of a link', async () => {
    const target = path.join(folder, 'target');
    mkdirSync(path.join(target, 'inner'), { recursive: true });
    symlinkSync(path.join(target, 'inner'), at('link'));
    await openAndClose(at('link', 'home'));
    chmodSync(target, 0o777);
    await expect(openKeeper({ home: at('link', 'home') })).rejects.toMatchObject(UNSAFE);
    chmodSync(target, 0o755);
    chmodSync(between, 0o777);
    await expect(openKeeper({ home: at('link', 'home') })).rejects.toMatchObject(UNSAFE);
  });

  it('are looked at when a token is only printed, too', async () => {
    const home = at('home');
    {
      await using keeper = await openKeeper({ home });
      await keeper.add('a', {
        provider: 'generic',
        client: { clientId: 'c' },
        overrides: { tokenEndpoint: 'https://as.example/token' },
        tokens: { refreshToken: 'r', accessToken: 'at', accessExpiresAt: Date.now() + 3_600_000 },
      });
    }
    const atHand = (): string | undefined => tokenAtHand('a', { home, environment: {} })?.reveal();
    mkdirSync(path.join(home, 'spill'), { mode: 0o700, recursive: true });
    expect(atHand()).toBe('at');
    chmodSync(between, 0o777);
    expect(atHand()).toBeUndefined();
  });

  it('are not refused without the check, which is what refuses them', () => {
    chmodSync(between, 0o777);
    expect(() => checkParents(at('home'))).toThrow('every user may write');
    setSabotage('parents-check', true);
    checkParents(at('home'));
  });
});
