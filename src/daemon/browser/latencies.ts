import type { Keeper } from '../../keeper-api.ts';
import type { Clock } from '../../system/clock.ts';

/** So many of the newest requests are remembered. */
const KEPT = 500;
const MOST_UNDER_WAY = 5_000;

/** How long a refresh took, waiting for its turn left out. */
export interface Latency {
  /** Whose it was. */
  readonly connection: string;
  /** From the moment before the request to the tokens on disk, or to the failure. */
  readonly tookMs: number;
}

/** Measures the refreshes that this process makes. */
export class Latencies {
  readonly #begun = new Map<string, number>();
  readonly #newest: Latency[] = [];
  readonly #stops: readonly (() => void)[];

  /** Listens from now on, until {@link Latencies.stop}. */
  constructor(keeper: Keeper, clock: Clock) {
    const end = ({ connection }: { readonly connection: string }): void => {
      const begunAt = this.#begun.get(connection);
      this.#begun.delete(connection);
      if (begunAt === undefined) return;
      this.#newest.push({ connection, tookMs: clock.monotonic() - begunAt });
      if (this.#newest.length > KEPT) this.#newest.shift();
    };
    this.#stops = [
      keeper.on('refreshing', ({ connection }) => {
        if (this.#begun.size < MOST_UNDER_WAY) this.#begun.set(connection, clock.monotonic());
      }),
      keeper.on('refreshed', end),
      keeper.on('refresh_failed', end),
    ];
  }

  /** The newest, oldest first. */
  newest(): readonly Latency[] {
    return this.#newest;
  }

  /** Listens no more. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }
}

/** The value below which half, or nine tenths, of some numbers lie; undefined of none. */
export function quantile(numbers: readonly number[], share: number): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
