import type { ConnectionRecord } from '../../src/connection/record.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** What held when an attempt took its claim, which is when it decided to send. */
export interface ClaimFacts {
  /** True time. */
  readonly at: number;
  /** Of the token set that it had. */
  readonly generation: number;
  /** Something wanted a newer token set. */
  readonly needed: boolean;
  /** A person insisted. */
  readonly anyway: boolean;
  /** The access token is of no use any more, so that a replay costs nothing. */
  readonly useless: boolean;
}

/** Takes them down at the instant of the claim; `was` is the connection before. */
export function claimFactsOf(world: World, by: Process, was: ConnectionRecord): ClaimFacts {
  const { tokens, id, generation, intent } = was;
  const { calls, store } = world.oracle;
  const wall = by.clock.now();
  const rejection = calls.rejection(store.held.get(id)?.accessToken);
  const common = {
    at: world.scheduler.now,
    generation,
    anyway: calls.hasOrder(by, id, generation, 'anyway'),
  };
  if (tokens?.accessToken === undefined) return { ...common, needed: true, useless: true };
  const left = Math.min(tokens.accessExpiresAt - wall, tokens.accessLifeMs);
  const isDue =
    wall >= tokens.dueAt ||
    left <= earlyMs(tokens.accessLifeMs) ||
    tokens.receivedAt - wall > 60_000;
  const isAsked = calls.hasOrder(by, id, generation, 'hand') || rejection !== 'none';
  return {
    ...common,
    needed: isDue || isAsked || common.anyway || intent !== undefined,
    useless: wall >= tokens.accessExpiresAt || rejection === 'named' || left <= 0,
  };
}

/** How long before its true expiry an access token counts as expired. */
export function earlyMs(lifeMs: number): number {
  return Math.min(Math.max(60_000, Math.min(300_000, lifeMs / 10)), lifeMs / 4);
}
