import type { Agent, IncomingMessage, request, RequestOptions } from 'node:http';
import { ConfigurationError, EvergrantError, ServerUnavailableError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { Clock } from '../system/clock.ts';
import { nodeFetch, type OwnFetch } from '../system/fetch.ts';
import { errnoOf } from '../system/file-errors.ts';
import { checkSocket } from '../system/ownership.ts';
import { errorOfProblem } from './problem.ts';
import { readJson } from './wire.ts';

/*
 * Requests to a daemon. On its socket both ends check whose it is: here the folder and the socket, before each connection.
 */

/** Where a daemon is. */
export type DaemonAddress =
  | { readonly socket: string }
  | {
      readonly url: URL;
      readonly key: Secret;
      /** Authorities trusted for its certificate besides the system's, PEM. */
      readonly ca: readonly string[] | undefined;
    };

/** What is sent. */
export interface Sent {
  /** HTTP method. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly target: string;
  /** Sent as JSON. */
  readonly body?: object | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Further fields. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the daemon may take to answer, of a stream to begin with it; by default five minutes. */
  readonly patienceMs?: number;
}

interface Client {
  readonly agent: Agent;
  readonly request: typeof request;
}

const LONGEST_ANSWER = 16 * 1024 * 1024;
/** Longer than a daemon takes for one connection: one that was stopped takes connections still, and never answers. */
const PATIENCE_MS = 300_000;

/** Sends requests to one daemon, on connections that are kept. */
export class Transport {
  readonly #address: DaemonAddress;
  readonly #clock: Clock;
  #client: Promise<Client> | undefined;
  #fetch: OwnFetch | undefined;
  #isClosed = false;

  /** Nothing is opened yet. */
  constructor(address: DaemonAddress, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
  }

  /** The daemon, for messages. */
  get place(): string {
    return 'socket' in this.#address ? this.#address.socket : this.#address.url.origin;
  }

  /** @throws {@link ConfigurationError} `ERR_KEEPER_CLOSED` once it is closed. */
  assertOpen(): void {
    if (this.#isClosed) throw closedError();
  }

  /**
   * Asks for JSON, which is an object; null members are undefined.
   *
   * @throws the error that the daemon tells of; {@link ServerUnavailableError} `ERR_DAEMON_UNREACHABLE` when none answers, or something else, or
   *   `ERR_DEADLINE` when it does not in time; {@link ConfigurationError} `ERR_KEEPER_CLOSED`; the signal's reason.
   */
  json(asked: Sent): Promise<object> {
    return this.#inTime(asked, async (sent) => {
      const response = await this.#open(sent);
      const text = await readText(response).catch((error: unknown) => {
        throw this.#failure(error, sent.signal);
      });
      const body = parse(text);
      if (isObject(body)) return body;
      throw errorOfProblem(response.statusCode ?? 0, body);
    });
  }

  /** Asks for a stream. @throws as {@link Transport.json} */
  open(asked: Sent): Promise<IncomingMessage> {
    return this.#inTime(asked, (sent) => this.#open(sent));
  }

  /**
   * Sends what `fetch` would send, and hands back what comes.
   *
   * @throws {@link ServerUnavailableError} `ERR_DAEMON_UNREACHABLE`; {@link ConfigurationError} `ERR_KEEPER_CLOSED`; the signal's reason; for what
   *   cannot be sent, whatever `fetch` throws.
   */
  async fetch(target: string, init: RequestInit): Promise<Response> {
    const address = this.#address;
    this.assertOpen();
    await this.#target();
    this.assertOpen();
    this.#fetch ??= nodeFetch('socket' in address ? { socketPath: address.socket } : address);
    const headers = new Headers(init.headers);
    // The proxy passes none on, and the daemon would take it for a key.
    headers.delete('authorization');
    const origin = 'socket' in address ? 'http://localhost' : address.url.origin;
    for (const [name, value] of Object.entries(this.#authorization())) headers.set(name, value);
    try {
      return await this.#fetch(`${origin}${target}`, { ...init, headers });
    } catch (error) {
      const signal = init.signal ?? undefined;
      if (signal?.aborted !== true && !isNetworkFault(error)) throw error;
      throw this.#failure(error instanceof Error ? error.cause : error, signal);
    }
  }

  /** Closes the connections; nothing can be asked any more. What is under way is told so, answers of {@link Transport.fetch} come to their end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // Not waited for: an answer may have no end.
    void this.#fetch?.close();
    const client = await this.#client?.catch(() => undefined);
    client?.agent.destroy();
  }

  async #inTime<T>(sent: Sent, work: (sent: Sent) => Promise<T>): Promise<T> {
    const { patienceMs = PATIENCE_MS } = sent;
    const late = new AbortController();
    const onTime = (): void => {
      late.abort(this.#silent(patienceMs));
    };
    const timer = this.#clock.timer(patienceMs, onTime, { background: true });
    const signals = sent.signal === undefined ? [] : [sent.signal];
    try {
      return await work({ ...sent, signal: AbortSignal.any([...signals, late.signal]) });
    } finally {
      timer.cancel();
    }
  }

  async #open(sent: Sent): Promise<IncomingMessage> {
    this.assertOpen();
    sent.signal?.throwIfAborted();
    const response = await this.#sendAgain(sent);
    const { statusCode: status = 0 } = response;
    if (status >= 200 && status < 300) return response;
    const text = await readText(response).catch(() => '');
    throw errorOfProblem(status, parse(text));
  }

  /** A connection that was kept may have ended meanwhile; what only looks may be asked once more. */
  async #sendAgain(sent: Sent): Promise<IncomingMessage> {
    try {
      return await this.#send(sent);
    } catch (error) {
      const mayRepeat = errnoOf(error) === 'ECONNRESET' && sent.method === 'GET';
      if (!mayRepeat || this.#isClosed || sent.signal?.aborted === true)
        throw this.#failure(error, sent.signal);
    }
    return this.#send(sent).catch((error: unknown) => {
      throw this.#failure(error, sent.signal);
    });
  }

  async #send({ method, target, body, signal, headers }: Sent): Promise<IncomingMessage> {
    this.#client ??= this.#makeClient();
    const { agent, request: send } = await this.#client;
    const where = await this.#target();
    this.assertOpen();
    const text = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = send({
      ...{ method, agent, path: target },
      headers: {
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
        ...headers,
        ...this.#authorization(),
      },
      ...(signal !== undefined && { signal }),
      ...where,
    });
    return new Promise((resolve, reject) => {
      outgoing.on('response', resolve).on('error', reject);
      outgoing.end(text);
    });
  }

  /** Loaded when something is sent: a process that finds no daemon pays nothing. */
  async #makeClient(): Promise<Client> {
    const options = { keepAlive: true, maxSockets: 64 } as const;
    const address = this.#address;
    if ('socket' in address || address.url.protocol !== 'https:') {
      const http = await import('node:http');
      return { agent: new http.Agent(options), request: http.request };
    }
    const [https, { tlsTrust }] = await Promise.all([
      import('node:https'),
      import('../system/tls-trust.ts'),
    ]);
    const trust = await tlsTrust(address.ca);
    return { agent: new https.Agent({ ...options, ...trust }), request: https.request };
  }

  #authorization(): { readonly authorization?: string } {
    return 'key' in this.#address ? { authorization: `Bearer ${this.#address.key.reveal()}` } : {};
  }

  async #target(): Promise<RequestOptions> {
    if ('socket' in this.#address) {
      await checkSocket(this.#address.socket);
      return { socketPath: this.#address.socket, host: 'localhost' };
    }
    const { hostname, port } = this.#address.url;
    return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? undefined : Number(port) };
  }

  /** What a request that failed is told as. */
  #failure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (this.#isClosed) return closedError();
    return error instanceof EvergrantError ? error : this.#unreachable(error);
  }

  #silent(patienceMs: number): ServerUnavailableError {
    const seconds = String(Math.ceil(patienceMs / 1_000));
    return new ServerUnavailableError(
      'ERR_DEADLINE',
      `the daemon at ${this.place} does not answer within ${seconds} s; look whether it was stopped, or start it again`,
    );
  }

  #unreachable(cause: unknown): ServerUnavailableError {
    const code = errnoOf(cause);
    const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED';
    return new ServerUnavailableError(
      'ERR_DAEMON_UNREACHABLE',
      isAbsent
        ? `no daemon answers at ${this.place}; start one with evergrant serve`
        : `the daemon at ${this.place} went away before it had answered (${code ?? 'unknown reason'}); ask again`,
    );
  }
}

function closedError(): ConfigurationError {
  return new ConfigurationError('ERR_KEEPER_CLOSED', 'this keeper is closed; open another');
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_ANSWER) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `fetch` wraps what came between it and the daemon, which has a code, and so does what it could not send; other refusals it throws as they are. */
function isNetworkFault(error: unknown): boolean {
  const code = error instanceof TypeError ? errnoOf(error.cause) : undefined;
  return code !== undefined && !UNSENDABLE.has(code);
}

const UNSENDABLE: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}
