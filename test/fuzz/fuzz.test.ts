import { describe, expect, it } from 'vitest';
import { chooseSeed } from '../faults/experiments/findings.ts';
import { attack } from './fuzzer.ts';
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
