import { expect, it } from 'vitest';
import { simulate } from '../../test/simulation/simulate.ts';

/*
 * Some worlds of the simulation, each as a test of its own, for mutants to be noticed in. `npm test` has these and far more.
 */

const WORLDS = 60;

it.each(Array.from({ length: WORLDS }, (_, seed) => seed))(
  'keeps every promise in world %d',
  async (seed) => {
    expect((await simulate(seed)).violation).toBeUndefined();
  },
);
