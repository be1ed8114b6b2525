import type { Moment } from '../connection/claiming.ts';
import type { Rotation } from '../connection/record.ts';
import type { Clock } from '../system/clock.ts';

/** This moment, with the uptime where a grace counts by it: to ask for that is to read a file. */
export function momentFor(clock: Clock, rotation: Rotation): Moment {
  return { now: clock.now(), uptimeMs: rotation === 'grace' ? clock.uptimeMs() : undefined };
}
