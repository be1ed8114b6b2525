import type { AccessToken } from '../access-token.ts';
import type { Clock } from '../system/clock.ts';
import type { Patience } from './wait.ts';

interface Crowd {
  /** When the first came, on the monotonic clock. */
  readonly since: number;
  readonly token: Promise<AccessToken>;
}

/** Who comes so much later than the first of a crowd is as patient as that one. */
const TOGETHER_MS = 10;

/** Lets callers who come together wait together, since ten thousand waits take longer than the refresh. */
export class Crowds {
  readonly #clock: Clock;
  readonly #crowds = new Map<string, Crowd>();

  /** Nobody waits yet. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * What those wait for who came for the same a moment ago, else what `ask` promises.
   *
   * @param key - names what is waited for.
   */
  join(
    key: string,
    patienceMs: number,
    ask: (patience: Patience) => Promise<AccessToken>,
  ): Promise<AccessToken> {
    const now = this.#clock.monotonic();
    const before = this.#crowds.get(key);
    if (before !== undefined && now - before.since <= TOGETHER_MS) return before.token;
    const token = ask({ deadline: now + patienceMs, signal: undefined });
    const crowd = { since: now, token };
    this.#crowds.set(key, crowd);
    const disperse = (): void => {
      if (this.#crowds.get(key) === crowd) this.#crowds.delete(key);
    };
    token.then(disperse, disperse);
    return token;
  }
}
