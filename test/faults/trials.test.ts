import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readSize } from '../../tools/trial-order.ts';
import { chooseSeed, Findings, tellProgress } from './experiments/findings.ts';

vi.setConfig({ testTimeout: 120_000 });

/*
 * What runs experiments at full size: an experiment that was not run must not be taken for one that found nothing.
 */

const root = path.join(import.meta.dirname, '..', '..');

afterEach(() => {
  Findings.watch = undefined;
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('the size of a trial', () => {
  it('is its full size, or what is asked for', () => {
    expect(readSize({ name: 'a' }, 20, 7)).toEqual({ trials: 20, seed: 7 });
    expect(readSize({ name: 'a', trials: '3', seed: '0' }, 20, 7)).toEqual({ trials: 3, seed: 0 });
  });

  it.each(['abc', '0', '', '-1', '1.5', '1e3', 'Infinity', '5 '])('is not %j', (trials) => {
    expect(() => readSize({ name: 'a', trials }, 20, 7)).toThrow(`--trials ${trials} is no number`);
  });

  it.each(['x', '', '-1', '0.5', 'NaN'])('does not come of the seed %j', (seed) => {
    expect(() => readSize({ name: 'a', seed }, 20, 7)).toThrow(`--seed ${seed} is no seed`);
  });

  it('nor of such a seed in the environment', () => {
    vi.stubEnv('EVERGRANT_SEED', 'x');
    expect(() => chooseSeed('a')).toThrow('EVERGRANT_SEED=x is no seed');
  });
});

it.each([
  [['durable-commits', '--trials', '0'], /^--trials 0 is no number of trials; .*\n$/],
  [['durable-commits', '--seed', 'x'], /^--seed x is no seed; .*\n$/],
  [['outage', '--trials', '2'], /^outage comes out the same each time; leave --trials out\n$/],
  [['toString'], /^usage: npm run trial -- NAME/],
])('a trial that is asked for by %j is not run, and ends with 2', (given, told) => {
  const line = ['--conditions=evergrant-test', 'tools/trial.ts', ...given];
  const { status, stderr, stdout } = spawnSync(process.execPath, line, {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stderr).toMatch(told);
  expect([status, stdout]).toEqual([2, '']);
});

it('how far an experiment is that is made of several is told of all, and every breach at once', () => {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const told = vi.spyOn(console, 'error').mockReturnValue(undefined);
  tellProgress();
  const all = new Findings('runs');
  for (let run = 1; run <= 3; run++) {
    now += 60_000;
    const one = new Findings();
    one.count('runs');
    one.check(run !== 2, 'promise', `run ${String(run)}`);
    all.add(one);
  }
  expect(told.mock.calls.flat()).toEqual([
    'so far: {"runs":0}, in the part under way: {"runs":1}',
    'so far: {"runs":1,"promise":0}, in the part under way: {"runs":1}',
    'promise: run 2',
    'so far: {"runs":2,"promise":1}, in the part under way: {"runs":1}',
  ]);
});
