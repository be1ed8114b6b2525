import { expect, it } from 'vitest';
import packageJson from '../../../package.json' with { type: 'json' };
import { VERSION } from '../../../src/system/version.ts';

it('the version in the code is that of package.json', () => {
  expect(VERSION).toBe(packageJson.version);
});
