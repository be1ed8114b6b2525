import { sabotaged } from '#failpoints';
import type { View } from '../connection/decision.ts';
import type { Rotation } from '../connection/record.ts';
import { effectiveRotation, isRepeatable } from '../connection/schedule.ts';
import type { AttemptResult, Order } from './attempt.ts';
import type { Engine } from './engine.ts';
import type { Flights } from './flights.ts';

/** At the soonest. */
const SHORTEST_MS = 1_000;
/** Until a person may have acted, or others: what was in the way may be gone, and the intent another one. */
const LONGEST_MS = 30_000;

const ORDER: Order = { demand: { kind: 'due' }, byHand: false, anyway: false };

/** Looks after the intents of dead attempts that callers come upon, each until it stands no more. */
export class Healing {
  readonly #engine: Engine;
  readonly #flights: Flights;
  /** Ids of the connections that are looked after. */
  readonly #patients = new Set<string>();

  /** Has come upon none yet. */
  constructor(engine: Engine, flights: Flights) {
    this.#engine = engine;
    this.#flights = flights;
  }

  /**
   * An intent that a dead process left is looked after at once, whatever the token's life: a grace runs out, and its owner must hear of an
   * uncertain connection early.
   */
  heal(view: View): void {
    const { id } = view.connection;
    if (this.#patients.has(id) || !this.#isInNeed(view)) return;
    this.#patients.add(id);
    this.#flights.board(id, ORDER).landing.then(
      (result) => this.#again(id, this.#pauseAfter(result)),
      () => this.#again(id, SHORTEST_MS),
    );
  }

  #isInNeed({ connection, client }: View): boolean {
    if (connection.intent === undefined || connection.state.kind !== 'active') return false;
    if (this.#engine.closing.aborted) return false;
    let rotation: Rotation;
    try {
      ({ rotation } = this.#engine.profileOf(client));
    } catch {
      // Of a server whose habits are not known here nothing can be asked; the flight of whoever needs a newer token tells that.
      return false;
    }
    return !isRepeatable(effectiveRotation(connection, rotation));
  }

  #pauseAfter(result: AttemptResult): number {
    if (result.kind === 'stopped') return LONGEST_MS;
    const waitMs = result.kind === 'deferred' ? result.until - this.#engine.clock.now() : 0;
    return Math.min(Math.max(waitMs, SHORTEST_MS), LONGEST_MS);
  }

  #again(id: string, pauseMs: number): void {
    if (sabotaged('heal-again')) return;
    const { clock, store, closing } = this.#engine;
    const look = async (): Promise<void> => {
      if (closing.aborted) return;
      const view = await store.read(id);
      this.#patients.delete(id);
      if (view !== undefined) this.heal(view);
    };
    // A store that cannot be read now may be a moment later.
    const onTime = (): void => void look().catch(() => this.#again(id, SHORTEST_MS));
    clock.timer(pauseMs, onTime, { background: true });
  }
}
