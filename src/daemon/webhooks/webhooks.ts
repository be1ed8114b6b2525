import { Counter, type Metric } from '../metrics/exposition.ts';
import type { Timer } from '../../system/clock.ts';
import { Courier, type CourierParts } from './courier.ts';
import type { Receiver } from './receivers.ts';

/*
 * Webhooks: what happens is told to receivers, signed, at least once, and in order for each connection. The outbox is in the store, so that a
 * daemon that is killed leaves nothing untold, and several of them share the work.
 */

/** So long a store that cannot be written is left alone. */
const TRY_AGAIN_MS = 5_000;

/** Everybody who is told. */
export class Webhooks {
  readonly #parts: CourierParts;
  readonly #couriers = new Map<string, Courier>();
  #names: readonly string[] = [];
  #again: Timer | undefined;
  #isClosed = false;
  readonly #attempts = new Counter(
    'evergrant_webhook_attempts_total',
    'Attempts of this process to tell a receiver what happened, by what they came to',
  );

  /** Tells nobody yet. */
  constructor(parts: Omit<CourierParts, 'count'>) {
    const count: CourierParts['count'] = (outcome) => {
      this.#attempts.add({ outcome });
    };
    this.#parts = { ...parts, count };
  }

  /** Tells these from now on, and no others; as soon as the store can be written, if it cannot now. */
  async use(receivers: readonly Receiver[]): Promise<void> {
    const names = receivers.map(({ name }) => name);
    this.#names = names;
    const gone = [...this.#couriers.keys()].filter((name) => !names.includes(name));
    const ends = gone.flatMap((name) => this.#couriers.get(name)?.end(AbortSignal.abort()) ?? []);
    for (const name of gone) this.#couriers.delete(name);
    await Promise.all(ends);
    this.#again?.cancel();
    await this.#settle();
    if (this.#isClosed) return;
    for (const receiver of receivers) {
      const courier = this.#couriers.get(receiver.name);
      if (courier === undefined)
        this.#couriers.set(receiver.name, new Courier(receiver, this.#parts));
      else courier.receiver = receiver;
    }
  }

  /** Begins nothing more, waits for what is under way until the signal aborts. */
  async close(late: AbortSignal): Promise<void> {
    this.#isClosed = true;
    this.#again?.cancel();
    await Promise.all([...this.#couriers.values()].map((courier) => courier.end(late)));
    await this.#parts.streaming.close();
  }

  /** Those asked for last, whenever it is that the store takes them. */
  async #settle(): Promise<void> {
    const { store, clock, log } = this.#parts;
    try {
      await store.setReceivers(this.#names);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn('webhooks wait for the store', { reason });
      if (this.#isClosed) return;
      const again = (): void => void this.#settle();
      this.#again = clock.timer(TRY_AGAIN_MS, again, { background: true });
    }
  }

  /** Attempts, and what waits. */
  metrics(): readonly Metric[] {
    const { waiting, dead } = this.#parts.store.counts();
    const gauge = (name: string, help: string, value: number): Metric => ({
      ...{ name, help },
      type: 'gauge',
      series: [{ value }],
    });
    return [
      this.#attempts.metric(),
      gauge('evergrant_webhooks_waiting', 'Events on their way to a receiver', waiting),
      gauge('evergrant_webhook_dead_letters', 'Events that a receiver was not told', dead),
    ];
  }
}
