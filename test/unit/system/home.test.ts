import { homedir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { homeFolder } from '../../../src/system/home.ts';

it('is what the option names, before the environment', () => {
  expect(homeFolder('/a', { EVERGRANT_HOME: '/b' })).toBe('/a');
  expect(homeFolder(undefined, { EVERGRANT_HOME: '/b' })).toBe('/b');
  expect(homeFolder('', { EVERGRANT_HOME: '' })).toBe(homeFolder(undefined, {}));
  expect(homeFolder('relative', {})).toBe(path.resolve('relative'));
});

it.runIf(process.platform === 'linux')('follows the XDG base directories on Linux', () => {
  expect(homeFolder(undefined, { XDG_DATA_HOME: '/data' })).toBe('/data/evergrant');
  expect(homeFolder(undefined, {})).toBe(path.join(homedir(), '.local/share/evergrant'));
});
