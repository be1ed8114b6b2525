import type { ConnectionRecord } from '../connection/record.ts';
import type { Clock } from '../system/clock.ts';

/** Longest time for which one wait in vain spares the others theirs. */
const LONGEST_MS = 300_000;
const SHORTEST_MS = 1_000;

/** Whoever waited for a newer token in vain, while the old one lives, spares all others the wait for a while. */
export class Excuses {
  readonly #clock: Clock;
  /** The generation than which callers of a connection need not wait for a newer one, and until when on the monotonic clock. */
  readonly #excuses = new Map<string, { readonly generation: number; readonly until: number }>();

  /** Nobody is excused. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether callers of a connection need not wait. */
  has({ id, generation }: ConnectionRecord): boolean {
    const excuse = this.#excuses.get(id);
    return excuse?.generation === generation && excuse.until > this.#clock.monotonic();
  }

  /** After a wait that brought nothing newer: nobody else need wait before the back-off ends, or for five minutes where the request hangs. */
  add({ id, generation, backoff }: ConnectionRecord, isHanging: boolean): void {
    const backoffMs = Math.max(backoff.notBefore - this.#clock.now(), SHORTEST_MS);
    const forMs = isHanging ? LONGEST_MS : Math.min(backoffMs, LONGEST_MS);
    this.#excuses.set(id, { generation, until: this.#clock.monotonic() + forMs });
  }
}
