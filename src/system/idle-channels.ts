import type { Clock, Timer } from './clock.ts';
import type { Channel } from './http-channel.ts';

const IDLE_MS = 4_000;
const MOST_PER_ORIGIN = 32;
/** A connection used less than this ago is as good as a fresh one, at a server that has shown that it keeps them longer. */
const WARM_MS = 500;

/**
 * The open connections of one origin that wait for another exchange. Learns whether the server keeps such connections: one that it kept
 * past half a second proves it, one that it ended sooner disproves it.
 */
export class IdleChannels {
  readonly #clock: Clock;
  /** The youngest last. */
  readonly #idle: Channel[] = [];
  #keepsThem = false;
  #isClosed = false;
  #sweep: Timer | undefined;

  /** Has none yet, and trusts the server in nothing. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the youngest one out; undefined when there is none. */
  take(): Channel | undefined {
    this.#learn();
    const youngest = this.#idle.at(-1);
    if (youngest === undefined || this.#ageOf(youngest) < IDLE_MS) return this.#pop();
    // The machine was suspended, or else they would have been swept.
    for (const channel of this.#idle.splice(0)) channel.destroy();
    return undefined;
  }

  /** Takes one out that is as good as fresh: used less than half a second ago, at a server that keeps them longer. */
  takeWarm(): Channel | undefined {
    this.#learn();
    const youngest = this.#idle.at(-1);
    if (!this.#keepsThem || youngest === undefined) return undefined;
    return this.#ageOf(youngest) < WARM_MS ? this.#pop() : undefined;
  }

  /** Keeps a connection after an exchange, for a few seconds; it does not hold the process meanwhile. */
  put(channel: Channel): void {
    channel.idleSince = { wall: this.#clock.now(), steady: this.#clock.monotonic() };
    this.giveUp(channel);
  }

  /** Takes back one that was not used; one that never was is closed. */
  giveUp(channel: Channel): void {
    if (this.#isClosed || !channel.isOpen || channel.idleSince === undefined) {
      channel.destroy();
      return;
    }
    // The oldest one is what the server is known by; of the others the youngest are worth most.
    if (this.#idle.length >= MOST_PER_ORIGIN)
      for (const older of this.#idle.splice(1, 1)) older.destroy();
    channel.onLost = () => this.#lost(channel);
    channel.hold(false);
    this.#idle.push(channel);
    this.#sweep ??= this.#sweepIn(IDLE_MS);
  }

  /** An exchange broke: what was known of the server no longer holds, and those that it was known by are closed. */
  distrust(): void {
    this.#keepsThem = false;
    for (const channel of this.#idle.splice(0)) channel.destroy();
  }

  /** Closes all, and those that are put later. */
  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    this.distrust();
  }

  #pop(): Channel | undefined {
    const channel = this.#idle.pop();
    if (channel === undefined) return undefined;
    channel.onLost = undefined;
    channel.hold(true);
    return channel;
  }

  /** How long it has been idle while this machine ran. */
  #idleFor({ idleSince }: Channel): number {
    return this.#clock.monotonic() - (idleSince?.steady ?? Infinity);
  }

  /** How long it has been idle, with the time that the machine was suspended, in which the other end may have given it up. */
  #ageOf(channel: Channel): number {
    const { wall = Infinity } = channel.idleSince ?? {};
    return Math.max(this.#idleFor(channel), this.#clock.now() - wall);
  }

  #learn(): void {
    const [oldest] = this.#idle;
    if (oldest !== undefined && this.#idleFor(oldest) >= WARM_MS) this.#keepsThem = true;
  }

  #lost(channel: Channel): void {
    this.#idle.splice(this.#idle.indexOf(channel), 1);
    if (this.#idleFor(channel) < WARM_MS) this.distrust();
  }

  #sweepIn(delayMs: number): Timer {
    const sweep = (): void => {
      this.#learn();
      const old = this.#idle.filter((channel) => this.#idleFor(channel) >= IDLE_MS);
      for (const channel of old) {
        this.#idle.splice(this.#idle.indexOf(channel), 1);
        channel.destroy();
      }
      const [oldest] = this.#idle;
      this.#sweep = oldest && this.#sweepIn(IDLE_MS - this.#idleFor(oldest));
    };
    return this.#clock.timer(delayMs, sweep, { background: true });
  }
}
