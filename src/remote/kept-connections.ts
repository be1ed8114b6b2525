import type { Agent, IncomingMessage, request, RequestOptions } from 'node:http';
import { errnoOf } from '../system/file-errors.ts';
import { whenQueued } from '../system/full-queue.ts';
import { authorizationOf, checkAddress, type DaemonAddress } from './daemon-address.ts';
import { failureOf } from './failure.ts';
import { assertOpen, type Way } from './way.ts';

/** One request. */
export interface Message {
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
}

interface Client {
  readonly agent: Agent;
  readonly request: typeof request;
}

/** Connections to one daemon, kept from one request to the next. */
export class KeptConnections {
  readonly #way: Way;
  #client: Promise<Client> | undefined;

  /** Nothing is opened yet. */
  constructor(way: Way) {
    this.#way = way;
  }

  /**
   * Sends a request; its answer comes as soon as it begins, whatever its status. A connection that was kept may have ended meanwhile: what only
   * looks is asked once more then.
   *
   * @throws {@link ServerUnavailableError} `ERR_DAEMON_UNREACHABLE`; {@link ConfigurationError} `ERR_KEEPER_CLOSED`; {@link StoreError}
   *   `ERR_STORE_UNSAFE`; the signal's reason.
   */
  async send(message: Message): Promise<IncomingMessage> {
    const { method, signal } = message;
    assertOpen(this.#way);
    signal?.throwIfAborted();
    try {
      return await this.#sendQueued(message);
    } catch (error) {
      const mayRepeat = errnoOf(error) === 'ECONNRESET' && method === 'GET';
      if (!mayRepeat || this.#way.closed.aborted || signal?.aborted === true)
        throw failureOf(error, this.#way, signal);
    }
    return this.#sendQueued(message).catch((error: unknown) => {
      throw failureOf(error, this.#way, signal);
    });
  }

  /** Ends them, whatever is under way. */
  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    client?.agent.destroy();
  }

  #sendQueued(message: Message): Promise<IncomingMessage> {
    const { clock, closed } = this.#way;
    const signals = message.signal === undefined ? [closed] : [closed, message.signal];
    return whenQueued(() => this.#sendOnce(message), clock, signals);
  }

  async #sendOnce({ method, target, body, signal, headers }: Message): Promise<IncomingMessage> {
    const { address } = this.#way;
    this.#client ??= makeClient(address).catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    const { agent, request: send } = await this.#client;
    await checkAddress(address);
    assertOpen(this.#way);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const outgoing = send({
      ...{ method, agent, path: target },
      headers: {
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
        ...headers,
        ...authorizationOf(address),
      },
      ...(signal !== undefined && { signal }),
      ...whereabouts(address),
    });
    return new Promise((resolve, reject) => {
      outgoing.on('response', resolve).on('error', reject);
      outgoing.end(text);
    });
  }
}

/** Loaded when something is sent: a process that finds no daemon pays nothing. */
async function makeClient(address: DaemonAddress): Promise<Client> {
  const options = { keepAlive: true, maxSockets: 64 } as const;
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

function whereabouts(address: DaemonAddress): RequestOptions {
  if ('socket' in address) return { socketPath: address.socket, host: 'localhost' };
  const { hostname, port } = address.url;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? undefined : Number(port) };
}
