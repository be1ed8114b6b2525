import { expect, test } from 'vitest';
import { drawDelays, emulatorAuthority } from './experiments/authority.ts';
import { chooseSeed } from './experiments/findings.ts';
import { oidcAuthority } from './experiments/oidc-authority.ts';
import { killAtRandom } from './experiments/random-kills.ts';

const LONGEST_MS = 240_000;

test(
  'of 100 kills at random at a strict server none loses what was stored, revokes a family, or is silent',
  async () => {
    const size = { trials: 100, seed: chooseSeed('strict') };
    const findings = await killAtRandom(
      (random) => emulatorAuthority('single-use', drawDelays(random)),
      size,
    );
    console.log(findings.counted);
    expect(findings.violations).toEqual([]);
    expect(findings.counted['in the window']).toBeGreaterThan(0);
  },
  LONGEST_MS,
);

test(
  'of 100 kills at random at a server that lets refresh tokens be used again none needs a person',
  async () => {
    const size = { trials: 100, seed: chooseSeed('reusable') };
    const findings = await killAtRandom(
      (random) => emulatorAuthority('reusable', drawDelays(random)),
      size,
      true,
    );
    expect(findings.violations).toEqual([]);
    expect(findings.counted['kills']).toBe(100);
  },
  LONGEST_MS,
);

test(
  'the same holds of 50 kills at a strict server by others',
  async () => {
    const size = { trials: 50, seed: chooseSeed('oidc-provider') };
    const findings = await killAtRandom((random) => oidcAuthority(drawDelays(random)), size);
    console.log(findings.counted);
    expect(findings.violations).toEqual([]);
    expect(findings.counted['in the window']).toBeGreaterThan(0);
  },
  LONGEST_MS,
);
