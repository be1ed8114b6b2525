import type { IncomingMessage } from 'node:http';
import type { Clock } from '../system/clock.ts';
import { AnswerTooLong, LONGEST_MIB, readAnswer } from './answer.ts';
import { placeOf, type DaemonAddress } from './daemon-address.ts';
import { DaemonFetch } from './daemon-fetch.ts';
import { failureOf, silent, tooLong } from './failure.ts';
import { KeptConnections, type Message } from './kept-connections.ts';
import { errorOfProblem } from './problem.ts';
import { assertOpen, type Way } from './way.ts';

/** What is sent. */
export interface Sent extends Message {
  /** How long the daemon may take to answer, of a stream to begin with it; by default five minutes. */
  readonly patienceMs?: number;
  /** Longest answer that is taken, in units of 1024 * 1024 bytes; 16 by default. */
  readonly mostMib?: number;
}

/** Longer than a daemon takes for one connection: one that was stopped takes connections still, and never answers. */
const PATIENCE_MS = 300_000;

/** Asks one daemon, in time, and tells its refusals as the errors that they are. */
export class Transport {
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #way: Way;
  readonly #connections: KeptConnections;
  readonly #fetch: DaemonFetch;

  /** Nothing is opened yet. */
  constructor(address: DaemonAddress, clock: Clock) {
    this.#clock = clock;
    this.#way = { address, clock, closed: this.#closing.signal };
    this.#connections = new KeptConnections(this.#way);
    this.#fetch = new DaemonFetch(this.#way);
  }

  /** @throws {@link ConfigurationError} `ERR_KEEPER_CLOSED` once it is closed. */
  assertOpen(): void {
    assertOpen(this.#way);
  }

  /**
   * Asks for JSON, which is an object; null members are undefined.
   *
   * @throws the error that the daemon tells of; {@link ServerUnavailableError} `ERR_DAEMON_UNREACHABLE` when none answers, or something else, or
   *   `ERR_DEADLINE` when it does not in time; {@link ResponseInvalidError} `ERR_RESPONSE_INVALID` when the answer is too long;
   *   {@link ConfigurationError} `ERR_KEEPER_CLOSED`; the signal's reason.
   */
  json({ mostMib = LONGEST_MIB, ...asked }: Sent): Promise<object> {
    return this.#inTime(asked, async (message) => {
      const response = await this.#open(message);
      const body = await readAnswer(response, mostMib).catch((error: unknown) => {
        const isTooLong = error instanceof AnswerTooLong;
        const told = isTooLong ? tooLong(placeOf(this.#way.address), mostMib) : error;
        throw failureOf(told, this.#way, message.signal);
      });
      if (isObject(body)) return body;
      throw errorOfProblem(response.statusCode ?? 0, body);
    });
  }

  /** Asks for a stream. @throws as {@link Transport.json} */
  open(asked: Omit<Sent, 'mostMib'>): Promise<IncomingMessage> {
    return this.#inTime(asked, (message) => this.#open(message));
  }

  /** As {@link DaemonFetch.fetch}. @throws likewise */
  fetch(target: string, init: RequestInit): Promise<Response> {
    return this.#fetch.fetch(target, init);
  }

  /** Closes the connections; nothing can be asked any more. What is under way is told so, answers of {@link Transport.fetch} come to their end. */
  async close(): Promise<void> {
    this.#closing.abort();
    // Not waited for: an answer may have no end.
    void this.#fetch.close();
    await this.#connections.close();
  }

  async #inTime<T>(
    { patienceMs = PATIENCE_MS, ...message }: Omit<Sent, 'mostMib'>,
    work: (message: Message) => Promise<T>,
  ): Promise<T> {
    const late = new AbortController();
    const onTime = (): void => {
      late.abort(silent(placeOf(this.#way.address), patienceMs));
    };
    const timer = this.#clock.timer(patienceMs, onTime, { background: true });
    const signals = message.signal === undefined ? [] : [message.signal];
    try {
      return await work({ ...message, signal: AbortSignal.any([...signals, late.signal]) });
    } finally {
      timer.cancel();
    }
  }

  async #open(message: Message): Promise<IncomingMessage> {
    const response = await this.#connections.send(message);
    const { statusCode: status = 0 } = response;
    if (status >= 200 && status < 300) return response;
    const body = await readAnswer(response).catch((error: unknown) => {
      // No daemon has an error of such a length.
      if (error instanceof AnswerTooLong) return undefined;
      throw failureOf(error, this.#way, message.signal);
    });
    throw errorOfProblem(status, body);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
