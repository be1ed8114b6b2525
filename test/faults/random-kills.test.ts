import { expect, test } from 'vitest';
import type { Random } from '../../src/system/random.ts';
import { drawDelays, emulatorAuthority } from './experiments/authority.ts';
import { chooseSeed } from './experiments/findings.ts';
import { oidcAuthority } from './experiments/oidc-authority.ts';
import { killAtRandom, type Circumstances } from './experiments/random-kills.ts';
import { GRACE_MS } from './experiments/servers.ts';

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
      { isHarmless: true },
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

const withinGrace: Circumstances = { isHarmless: true };
const afterGrace: Circumstances = { awayMs: GRACE_MS };

test.each([
  ['within the grace needs a person', 'grace', withinGrace, 0],
  ['after the grace is silent', 'late', afterGrace, 1],
] as const)(
  'of 10 kills at random at a server with a grace none that is followed up %s',
  async (_what, name, circumstances, leastInWindow) => {
    const size = { trials: 10, seed: chooseSeed(name) };
    const start = (random: Random) => emulatorAuthority('grace', drawDelays(random));
    const findings = await killAtRandom(start, size, circumstances);
    console.log(findings.counted);
    expect(findings.violations).toEqual([]);
    expect(findings.counted['kills']).toBe(10);
    expect(findings.counted['in the window']).toBeGreaterThanOrEqual(leastInWindow);
  },
  LONGEST_MS,
);

test(
  'the same holds of 5 kills within the grace of a server by others',
  async () => {
    const size = { trials: 5, seed: chooseSeed('oidc-provider-grace') };
    const start = (random: Random) => oidcAuthority({ ...drawDelays(random), graceMs: GRACE_MS });
    const findings = await killAtRandom(start, size, withinGrace);
    expect(findings.violations).toEqual([]);
    expect(findings.counted['kills']).toBe(5);
  },
  LONGEST_MS,
);
