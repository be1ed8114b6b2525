import type { Letter, WebhookStore } from '../../store/webhook-store.ts';
import { sleep, type Clock } from '../../system/clock.ts';
import type { Log } from '../../system/log.ts';
import type { Random } from '../../system/random.ts';
import type { Streaming } from '../../system/streaming.ts';
import { attempt, ATTEMPT_MS, type Outcome } from './attempt.ts';
import type { Receiver } from './receivers.ts';
import { LONGEST_PEACE_MS, waitMs } from './schedule.ts';

/** What couriers work with. */
export interface CourierParts {
  /** The outbox. */
  readonly store: WebhookStore;
  /** The way to receivers. */
  readonly streaming: Streaming;
  /** Time. */
  readonly clock: Clock;
  /** Jitter, and ids. */
  readonly random: Random;
  /** Where they tell what is odd. */
  readonly log: Log;
  /** Told of each attempt. */
  count(outcome: Outcome['kind']): void;
}

/** Other processes write as well; so often the store is looked at. */
const LOOK_EVERY_MS = 250;
/** So long a store that failed is left alone. */
const STORE_PAUSE_MS = 5_000;
/** Letters under way to one receiver, each of another connection. */
const MOST_UNDER_WAY = 8;
/** After so many failures in a row one letter at a time finds out whether the receiver is well again, so that an outage uses up nobody's attempts. */
const FAILURES_OF_AN_OUTAGE = 8;
/** A letter is one daemon's for so long. When that is killed, it is tried again after this. */
const LEASE_MS = 30_000;

/** Tells one receiver what happens, a letter of a connection after the one before it has arrived. */
export class Courier {
  /** Whom it tells; may be replaced while it works by the same receiver with other properties. */
  receiver: Receiver;
  readonly #parts: CourierParts;
  readonly #underWay = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  #wake = new AbortController();
  #isEnding = false;
  #isFailing = false;
  #failuresInRow = 0;
  readonly #running: Promise<void>;

  /** Begins at once. */
  constructor(receiver: Receiver, parts: CourierParts) {
    this.receiver = receiver;
    this.#parts = parts;
    this.#running = this.#run();
  }

  /** Begins nothing more, and waits for what is under way until the signal aborts. */
  async end(late: AbortSignal): Promise<void> {
    this.#isEnding = true;
    this.#wake.abort();
    const abort = (): void => {
      this.#ended.abort();
    };
    if (late.aborted) abort();
    late.addEventListener('abort', abort, { once: true });
    await this.#running;
    await Promise.all(this.#underWay);
    late.removeEventListener('abort', abort);
  }

  get #isOut(): boolean {
    return this.#failuresInRow >= FAILURES_OF_AN_OUTAGE;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts;
    while (!this.#isEnding) {
      this.#wake = new AbortController();
      try {
        const isMore = await this.#look();
        if (!isMore) await sleep(clock, LOOK_EVERY_MS, this.#wake.signal);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn('webhooks wait for the store', { webhook: this.receiver.name, reason });
        await sleep(clock, STORE_PAUSE_MS, this.#wake.signal);
      }
    }
  }

  /** @returns whether the feed has more. */
  async #look(): Promise<boolean> {
    const { store, clock, random, log } = this.#parts;
    const { name } = this.receiver;
    const { isNew } = store.work(name, clock.now());
    let isMore = false;
    if (isNew) {
      const wants = (event: string): boolean => this.receiver.wants(event);
      const newId = (): string => random.uuid();
      const collected = await store.collect(name, { wants, newId, now: clock.now() });
      isMore = collected.isMore;
      const { missed } = collected;
      if (missed > 0)
        log.warn('the store no longer had events that a webhook was to be told', {
          webhook: name,
          missed,
        });
    }
    const free = (this.#isOut ? 1 : MOST_UNDER_WAY) - this.#underWay.size;
    const now = clock.now();
    if (this.#isEnding || free <= 0 || !store.work(name, now).isDue) return isMore;
    const claimedAt = clock.monotonic();
    for (const letter of await store.claim(name, now, now + LEASE_MS, free))
      this.#send(letter, claimedAt);
    return isMore;
  }

  #send(letter: Letter, claimedAt: number): void {
    const sent = this.#deliver(letter, claimedAt)
      .catch((error: unknown) => {
        // The lease ends, and the letter is sent again.
        const reason = error instanceof Error ? error.message : String(error);
        this.#parts.log.warn('what became of a webhook could not be recorded', { reason });
      })
      .finally(() => {
        this.#underWay.delete(sent);
        if (!this.#isOut) this.#wake.abort();
      });
    this.#underWay.add(sent);
  }

  async #deliver(letter: Letter, claimedAt: number): Promise<void> {
    const { streaming, clock } = this.#parts;
    // Whoever was stopped for so long would still be sending when the letter is another's.
    if (clock.monotonic() - claimedAt > LEASE_MS - ATTEMPT_MS) return;
    const ended = this.#ended.signal;
    const outcome = await attempt(letter, this.receiver, { streaming, clock, ended });
    if (ended.aborted && outcome.kind === 'failed') return;
    this.#failuresInRow = outcome.kind === 'delivered' ? 0 : this.#failuresInRow + 1;
    this.#parts.count(outcome.kind);
    await this.#record(letter, outcome);
  }

  async #record(letter: Letter, outcome: Outcome): Promise<void> {
    const { store, clock, random } = this.#parts;
    const now = clock.now();
    this.#tell(letter, outcome);
    if (outcome.kind === 'delivered') return store.delivered(letter, now);
    const { reason } = outcome;
    const wait =
      outcome.kind === 'gone' ? undefined : waitMs(letter.failures + 1, random.fraction());
    if (outcome.kind === 'gone' || wait === undefined) return this.#giveUp(letter, reason, now);
    const peaceMs = Math.min(outcome.peaceMs, LONGEST_PEACE_MS);
    if (outcome.forAll && peaceMs > 0) await store.hold(letter.receiver, now + peaceMs);
    await store.failed(letter, reason, now + Math.max(wait, peaceMs));
  }

  async #giveUp(letter: Letter, reason: string, now: number): Promise<void> {
    const { store, log } = this.#parts;
    await store.gaveUp(letter, reason, now);
    const { id, receiver: webhook, event } = letter;
    const { connection } = event;
    const told = { id, webhook, connection, event: event.event, reason };
    log.warn('a webhook was given up; GET /v1/dead-letters shows it', told);
  }

  /** The first failure of a letter, unless others were told of, and the first arrival after it. That a letter is given up at once is told then. */
  #tell(letter: Letter, outcome: Outcome): void {
    if (outcome.kind === 'gone') return;
    const { log } = this.#parts;
    const webhook = this.receiver.name;
    const hasArrived = outcome.kind === 'delivered';
    if (hasArrived === !this.#isFailing || (!hasArrived && letter.failures > 0)) return;
    this.#isFailing = !hasArrived;
    if (hasArrived) log.info('a webhook arrives again', { webhook });
    else log.warn('a webhook fails, and is tried again', { webhook, reason: outcome.reason });
  }
}
