import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildPackage, type BuiltPackage } from '../../bench/support/built-package.ts';
import { openKeeper } from '../../src/keeper.ts';

/*
 * What Node makes of our code is kept in the home, and run by the next process. Shown with the package as users get it.
 */

let built: BuiltPackage;
let folder: string;
let home: string;
let kept: string;

beforeAll(async () => {
  built = await buildPackage();
}, 300_000);

afterAll(() => built.remove());

beforeEach(async () => {
  folder = await mkdtemp(path.join(await realpath(tmpdir()), 'evergrant-code-'));
  home = path.join(folder, 'home');
  kept = path.join(home, 'code');
  const keeper = await openKeeper({ home });
  await keeper.add('talk', {
    provider: 'generic',
    client: { clientId: 'client', clientSecret: 'secret' },
    overrides: { tokenEndpoint: 'http://127.0.0.1:9/token', insecureLoopback: true },
    tokens: {
      refreshToken: 'a~refresh-token',
      accessToken: 'a~valid-token',
      accessExpiresAt: Date.now() + 3_600_000,
    },
  });
  await keeper.close();
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
}

function evergrant(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const environment = {
    ...process.env,
    NODE_OPTIONS: '',
    // Tests of other things have Node keep what it makes elsewhere.
    NODE_COMPILE_CACHE: undefined,
    EVERGRANT_HOME: home,
    ...env,
  };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [built.bin, ...argv],
      { env: environment },
      (_, stdout) => {
        resolve({ code: child.exitCode ?? -1, stdout });
      },
    );
  });
}

/** By a keeper: what prints a token at hand is too little to be kept. */
const ASK = ['token', 'talk', '--min-life', '1s'];
const TOKEN: Ended = { code: 0, stdout: 'a~valid-token\n' };

/** All that is kept, by path. */
async function keptFiles(): Promise<readonly string[]> {
  const entries = await readdir(kept, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

describe('the code of `evergrant token`', () => {
  it('is kept in the home that it is asked for, where nobody else can enter', async () => {
    expect(await evergrant([...ASK, '--home', home], { EVERGRANT_HOME: '' })).toEqual(TOKEN);
    expect((await lstat(kept)).mode & 0o777).toBe(0o700);
    expect(await keptFiles()).not.toEqual([]);
    expect(await evergrant(ASK)).toEqual(TOKEN);
  });

  it('holds no secret', async () => {
    await evergrant(ASK);
    expect(await keptFiles()).not.toEqual([]);
    for (const file of await keptFiles()) {
      const bytes = await readFile(file);
      for (const secret of ['a~valid-token', 'a~refresh-token']) {
        expect(bytes.includes(secret)).toBe(false);
        expect(bytes.includes(Buffer.from(secret, 'utf16le'))).toBe(false);
      }
    }
  });

  it('is made anew where what was kept is damaged', async () => {
    await evergrant(ASK);
    expect(await keptFiles()).not.toEqual([]);
    for (const file of await keptFiles()) {
      const bytes = await readFile(file);
      await writeFile(
        file,
        bytes.map((byte, i) => (i % 64 === 63 ? byte ^ 0x55 : byte)),
      );
    }
    expect(await evergrant(ASK)).toEqual(TOKEN);
  });

  it('is made anew for another version of the package, though it is as long', async () => {
    const file = path.join(path.dirname(built.bin), '../dist/cli/token-process.cjs');
    const code = await readFile(file, 'utf8');
    const changed = code.replaceAll('EVERGRANT_KEY_FILE', 'EVERGRANT_KEY_OTHR');
    expect(changed).not.toBe(code);
    const env = { EVERGRANT_KEY_FILE: path.join(folder, 'no.key') };
    expect(await evergrant(ASK, env)).toMatchObject({ code: 9, stdout: '' });
    await writeFile(file, changed);
    try {
      expect(await evergrant(ASK, env)).toEqual(TOKEN);
    } finally {
      await writeFile(file, code);
    }
    expect(await evergrant(ASK, env)).toMatchObject({ code: 9, stdout: '' });
  });
});

describe('nothing is kept, and the token printed all the same,', () => {
  it('in a folder that others may enter', async () => {
    await mkdir(kept);
    await chmod(kept, 0o770);
    expect(await evergrant(ASK)).toEqual(TOKEN);
    expect(await keptFiles()).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)('in a folder of another user', async () => {
    await mkdir(kept, { mode: 0o700 });
    await chown(kept, 65_534, 65_534);
    expect(await evergrant(ASK)).toEqual(TOKEN);
    expect(await keptFiles()).toEqual([]);
  });

  it('where a link lies in place of the folder', async () => {
    const target = path.join(folder, 'target');
    await mkdir(target, { mode: 0o700 });
    await symlink(target, kept);
    expect(await evergrant(ASK)).toEqual(TOKEN);
    expect(await readdir(target)).toEqual([]);
  });

  it('where a file does', async () => {
    await writeFile(kept, '');
    expect(await evergrant(ASK)).toEqual(TOKEN);
  });

  it('by other commands, nor for a token at hand', async () => {
    expect(await evergrant(['token', 'talk'])).toEqual(TOKEN);
    expect(await evergrant(['list'])).toMatchObject({ code: 0 });
    expect(existsSync(kept)).toBe(false);
  });
});

it('makes no home to keep code in', async () => {
  const nowhere = path.join(folder, 'nowhere');
  expect(await evergrant([...ASK, '--home', nowhere])).toMatchObject({ code: 9 });
  expect(existsSync(nowhere)).toBe(false);
  const foreign = path.join(folder, 'foreign');
  await mkdir(foreign, { mode: 0o700 });
  await evergrant([...ASK, `--home=${foreign}`]);
  expect(await readdir(foreign)).toEqual([]);
});
