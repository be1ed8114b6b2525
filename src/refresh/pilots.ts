import { sabotaged } from '#failpoints';
import type { Clock } from '../system/clock.ts';
import type { AttemptResult } from './attempt.ts';
import { waitUntil } from './wait.ts';

/*
 * A client that no answer has vouched for lately sends one request ahead of all others: a secret that has expired is then refused once in
 * each process, and not once for every connection that was due.
 */

/** A client that was accepted is trusted so long. */
const VOUCHED_MS = 60_000;
/** The others wait so long for the first answer; a server that is slow must not make connections wait for each other. */
const PATIENCE_MS = 2_000;

/** Lets one attempt of each client go first. */
export class Pilots {
  readonly #clock: Clock;
  /** Attempts under way for clients that nothing vouches for. */
  readonly #flying = new Map<string, Promise<unknown>>();
  /** Until when, on the monotonic clock, an answer vouches for a client. */
  readonly #vouched = new Map<string, number>();

  /** Vouches for nobody yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes an attempt, after that of the client's pilot where it has one. */
  async fly(client: string, attempt: () => Promise<AttemptResult>): Promise<AttemptResult> {
    const deadline = this.#clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const pilot = this.#pilotOf(client);
      if (pilot === undefined) break;
      if ('ended' in (await waitUntil(pilot, this.#clock, deadline))) break;
    }
    const landing = attempt();
    if (!this.#flying.has(client)) this.#lead(client, landing);
    const result = await landing;
    if (result.kind === 'settled' && result.verdict.kind === 'recorded') {
      this.#vouched.set(client, this.#clock.monotonic() + VOUCHED_MS);
    }
    return result;
  }

  /** The attempt to wait for; undefined when there is none, or need not be. */
  #pilotOf(client: string): Promise<unknown> | undefined {
    const isVouched = (this.#vouched.get(client) ?? 0) > this.#clock.monotonic();
    return isVouched || sabotaged('pilot') ? undefined : this.#flying.get(client);
  }

  #lead(client: string, landing: Promise<unknown>): void {
    const landed = landing.catch(() => undefined).then(() => this.#flying.delete(client));
    this.#flying.set(client, landed);
  }
}
