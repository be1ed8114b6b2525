import { effectiveRotation, isRepeatable } from '../connection/schedule.ts';
import type { Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import type { Flights } from './flights.ts';
import type { Remembered } from './memory.ts';

const AGAIN_MS = 1_000;

/** Looks after the intents of dead attempts that callers come upon. */
export class Healing {
  readonly #engine: Engine;
  readonly #flights: Flights;
  /** Intents that a flight was started for. */
  readonly #begun = new Set<string>();

  /** Has come upon none yet. */
  constructor(engine: Engine, flights: Flights) {
    this.#engine = engine;
    this.#flights = flights;
  }

  /**
   * An intent that a dead process left is looked after at once, whatever the token's life: a grace runs out, and its owner must hear of an
   * uncertain connection early.
   */
  heal({ view: { connection, client } }: Remembered): void {
    const { closing, clock } = this.#engine;
    const attemptId = connection.intent?.attemptId;
    if (attemptId === undefined || connection.state.kind !== 'active') return;
    const { rotation } = this.#engine.profileOf(client);
    if (isRepeatable(effectiveRotation(connection, rotation))) return;
    if (this.#begun.has(attemptId) || closing.aborted) return;
    this.#begun.add(attemptId);
    const again = (): void => {
      const forget = (): void => void this.#begun.delete(attemptId);
      clock.timer(AGAIN_MS, forget, { background: true });
    };
    const order: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };
    this.#flights.board(connection.id, order).landing.then((result) => {
      if (result.kind === 'held' || result.kind === 'deferred') again();
    }, again);
  }
}
