import { describe, expect, it } from 'vitest';
import { chooseSeed } from '../faults/experiments/findings.ts';
import { attack, type Fuzzer } from './fuzzer.ts';
import { FUZZERS } from './fuzzers.ts';

const LONGEST_MS = 300_000;

describe.each(FUZZERS.map((fuzzer) => [fuzzer.name, fuzzer] as const))('%s', (name, fuzzer) => {
  const { trials, reaches, defects } = fuzzer;

  it(
    `of ${String(trials)} hostile inputs none breaks a promise`,
    async () => {
      const { counted, violations } = await attack(fuzzer, { trials, seed: chooseSeed(name) });
      expect(violations.slice(0, 5)).toEqual([]);
      expect(counted['inputs']).toBe(trials);
      for (const met of reaches) expect(counted, met).toHaveProperty([met]);
    },
    LONGEST_MS,
  );

  it.each(defects)(
    'the same inputs find a mistake: it %s',
    async (defect) => {
      const seed = chooseSeed(`${name} against one that ${defect}`);
      const { counted } = await attack(fuzzer, { trials, seed }, defect);
      expect(counted['breaches']).toBe(1);
    },
    LONGEST_MS,
  );
});

it('what keeps in memory all that is thrown at it is found out', async () => {
  const kept: Uint8Array[] = [];
  const hoarder: Fuzzer = {
    name: 'hoarder',
    trials: 4,
    fullTrials: 4,
    reaches: [],
    defects: [],
    open: () =>
      Promise.resolve({
        attack() {
          kept.push(new Uint8Array(26 * 1024 * 1024));
          return { met: 'kept', input: '' };
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  };
  const { violations } = await attack(hoarder, { trials: 4, seed: 1 });
  expect(kept).toHaveLength(4);
  expect(violations).toEqual([expect.stringMatching(/^breaches: 5\d{7} bytes are kept$/)]);
});
