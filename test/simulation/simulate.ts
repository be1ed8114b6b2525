import { settleDown } from './settle-down.ts';
import type { Violation } from './oracle.ts';
import { World } from './world.ts';

/** What a run came to. */
export interface Run {
  readonly seed: number;
  /** The promise that was broken; undefined when all held. */
  readonly violation: Violation | undefined;
  /** Things that happened. */
  readonly steps: number;
  /** Requests to token endpoints. */
  readonly requests: number;
  /** Access tokens handed out. */
  readonly served: number;
  /** True time that passed in the simulated world. */
  readonly simulatedMs: number;
}

/** Steps after which a run counts as caught in a circle. */
const MOST_STEPS = 400_000;

/**
 * Runs one world to its end. The same seed does the same each time.
 *
 * @param trace - gets a line for each thing that happens.
 */
export async function simulate(seed: number, trace?: string[]): Promise<Run> {
  const world = new World(seed, trace);
  const { scheduler, oracle, plan } = world;
  world.trace('world', JSON.stringify(plan));
  const beganAt = scheduler.now;
  for (let i = 0; i < plan.processes; i++) world.spawn();
  world.people.begin();
  const isOver = (): boolean => {
    if (scheduler.steps > MOST_STEPS) oracle.report('I10', 'there is no end to it');
    return oracle.violation !== undefined;
  };
  await scheduler.runUntil(beganAt + plan.spanMs, isOver);
  if (!isOver()) await settleDown(world);
  return {
    seed,
    violation: oracle.violation,
    steps: scheduler.steps,
    requests: oracle.sends.count,
    served: oracle.calls.served,
    simulatedMs: scheduler.now - beganAt,
  };
}
