import { afterEach, expect, it } from 'vitest';
import { chooseSeed, type Findings } from '../faults/experiments/findings.ts';
import { attack, type Fuzzer } from '../fuzz/fuzzer.ts';
import { errorAnswers } from '../fuzz/targets/answers.ts';
import { callbackRequests } from '../fuzz/targets/callback.ts';
import { headerFields } from '../fuzz/targets/headers.ts';
import { proxyFields } from '../fuzz/targets/proxy-fields.ts';
import { setSabotage } from '../support/failpoints.ts';
import { tryOpenProxy } from './open-proxy.ts';
import { throwBombs } from './bombs.ts';
import { swapSealedValues } from './swaps.ts';
import { redirectTokenRequests } from './token-redirects.ts';

/*
 * Attacks, each against the defence that holds it off, and once more with that defence switched off: then it must get through.
 */

const LONGEST_MS = 240_000;

const fuzz = (fuzzer: Fuzzer, trials: number) => (): Promise<Findings> =>
  attack(fuzzer, { trials, seed: chooseSeed(fuzzer.name) });

const ATTACKS: Readonly<Record<string, () => Promise<Findings>>> = {
  redaction: fuzz(errorAnswers, 300),
  'state-check': fuzz(callbackRequests, 300),
  'host-check': fuzz(callbackRequests, 600),
  'redirect-origin': fuzz(headerFields, 500),
  'size-cap': throwBombs,
  'seal-binding': swapSealedValues,
  'hop-by-hop': fuzz(proxyFields, 300),
  'private-address': tryOpenProxy,
  'proxy-path': tryOpenProxy,
};

afterEach(() => {
  for (const defence of Object.keys(ATTACKS)) setSabotage(defence, false);
});

it.each(Object.entries(ATTACKS))(
  'an attack is held off by the defence "%s", and gets through without it',
  async (defence, run) => {
    expect((await run()).violations.slice(0, 5)).toEqual([]);
    setSabotage(defence, true);
    expect((await run()).violations).not.toEqual([]);
  },
  LONGEST_MS,
);

it(
  'no redirect of a token endpoint leads a request elsewhere',
  async () => {
    const { violations, counted } = await redirectTokenRequests();
    expect(violations).toEqual([]);
    expect(counted['redirects']).toBeGreaterThanOrEqual(60);
  },
  LONGEST_MS,
);

it(
  'no spelling of an address makes the proxy call another one',
  async () => {
    const { violations, counted } = await tryOpenProxy();
    expect(violations).toEqual([]);
    expect(counted['attacks']).toBeGreaterThanOrEqual(300);
  },
  LONGEST_MS,
);
