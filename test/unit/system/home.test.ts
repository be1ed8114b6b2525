import { homedir, userInfo } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { homeFolder, homePaths } from '../../../src/system/home.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('is what the option names, before the environment', () => {
  expect(homeFolder('/a', { EVERGRANT_HOME: '/b' })).toBe('/a');
  expect(homeFolder(undefined, { EVERGRANT_HOME: '/b' })).toBe('/b');
  expect(homeFolder('', { EVERGRANT_HOME: '' })).toBe(homeFolder(undefined, {}));
  expect(homeFolder('relative', {})).toBe(path.resolve('relative'));
});

it('is told to be nowhere, where its name is relative and the current folder was removed', () => {
  vi.spyOn(process, 'cwd').mockImplementation(() => {
    throw Object.assign(new Error('uv_cwd'), { code: 'ENOENT' });
  });
  try {
    expect(() => homeFolder('relative', {})).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIGURATION',
        message: expect.stringContaining('which does not exist any more'),
      }),
    );
    expect(homeFolder('/a', {})).toBe('/a');
  } finally {
    vi.restoreAllMocks();
  }
});

const ELSEWHERE = 'not run: XDG base directories are those of Linux';

it('follows the XDG base directories on Linux', (context) => {
  if (process.platform !== 'linux') return context.skip(ELSEWHERE);
  expect(homeFolder(undefined, { XDG_DATA_HOME: '/data' })).toBe('/data/evergrant');
  expect(homeFolder(undefined, {})).toBe(path.join(homedir(), '.local/share/evergrant'));
});

it.for(['', 'data', './data'])(
  'ignores XDG base directories that are not absolute: "%s"',
  (relative, context) => {
    if (process.platform !== 'linux') return context.skip(ELSEWHERE);
    const environment = { XDG_DATA_HOME: relative, XDG_CONFIG_HOME: relative };
    expect(homePaths(undefined, environment)).toEqual(homePaths(undefined, {}));
  },
);

it.each(['', 'somewhere', '.'])('is the account’s where HOME is not absolute: "%s"', (relative) => {
  vi.stubEnv('HOME', relative);
  const { home, keyFile } = homePaths(undefined, {});
  expect([home, keyFile].map((at) => at.startsWith(`${userInfo().homedir}/`))).toEqual([
    true,
    true,
  ]);
});
