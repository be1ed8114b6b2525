import { AccessToken } from '../access-token.ts';
import type {
  Connection,
  ConnectionStatus,
  Disconnected,
  DisconnectOptions,
  Explanation,
  RefreshOptions,
  TokenOptions,
} from '../keeper-api.ts';
import { checkMs } from '../system/arguments.ts';
import { segmentOf } from './connection-path.ts';
import type { Sent, Transport } from './transport.ts';

interface TokenOnWire {
  readonly accessToken: string;
  readonly type: string;
  readonly scope: readonly string[];
  readonly expiresAt: number;
  readonly generation: number;
}

/** As long as a keeper waits that is told nothing else. */
const TOKEN_WITHIN_MS = 30_000;
const REFRESH_WITHIN_MS = 60_000;
/** What a daemon that obeys the caller's limit needs beyond it to say so. */
const GRACE_MS = 10_000;

/** A handle on a connection that a daemon keeps. */
export class RemoteConnection implements Connection {
  readonly name: string;
  readonly #transport: Transport;

  /** Made by the keeper; no I/O. */
  constructor(name: string, transport: Transport) {
    this.name = name;
    this.#transport = transport;
  }

  async token({ minLifeMs, timeoutMs, signal }: TokenOptions = {}): Promise<AccessToken> {
    const query = new URLSearchParams();
    if (minLifeMs !== undefined) query.set('minLife', durationOf(minLifeMs, 'minLifeMs'));
    if (timeoutMs !== undefined) query.set('timeout', durationOf(timeoutMs, 'timeoutMs'));
    const target = `/token${query.size === 0 ? '' : `?${query.toString()}`}`;
    const patienceMs = patienceOf(timeoutMs ?? TOKEN_WITHIN_MS);
    const answer = await this.#ask('GET', target, { signal, patienceMs });
    const { accessToken, ...details } = answer as TokenOnWire;
    return new AccessToken(accessToken, details);
  }

  async fetch(input: string | URL, init?: RequestInit): Promise<Response> {
    const { callThroughProxy } = await import('./remote-fetch.ts');
    const send = (target: string, options: RequestInit): Promise<Response> =>
      this.#transport.fetch(target, options);
    return callThroughProxy(this.name, send, input, init);
  }

  async refresh({ anyway, timeoutMs, signal }: RefreshOptions = {}): Promise<ConnectionStatus> {
    const body = {
      ...(anyway !== undefined && { anyway }),
      ...(timeoutMs !== undefined && { timeout: durationOf(timeoutMs, 'timeoutMs') }),
    };
    const patienceMs = patienceOf(timeoutMs ?? REFRESH_WITHIN_MS);
    return this.#change('refresh', body, { signal, patienceMs });
  }

  async status(): Promise<ConnectionStatus> {
    return (await this.#ask('GET', '')) as ConnectionStatus;
  }

  async explain(): Promise<Explanation> {
    return (await this.#ask('GET', '/explanation')) as Explanation;
  }

  async pause(): Promise<void> {
    await this.#change('pause');
  }

  async resume(): Promise<void> {
    await this.#change('resume');
  }

  async rename(name: string): Promise<void> {
    await this.#change('rename', { name });
  }

  async disconnect({ anyway, signal }: DisconnectOptions = {}): Promise<Disconnected> {
    const done = await this.#ask('POST', '/disconnect', {
      body: anyway === undefined ? {} : { anyway },
      signal,
    });
    return done as Disconnected;
  }

  async #change(
    action: string,
    body: object = {},
    more: Pick<Sent, 'signal' | 'patienceMs'> = {},
  ): Promise<ConnectionStatus> {
    const answer = await this.#ask('POST', `/${action}`, { body, ...more });
    return (answer as { readonly connection: ConnectionStatus }).connection;
  }

  async #ask(
    method: Sent['method'],
    target: string,
    more: Pick<Sent, 'body' | 'signal' | 'patienceMs'> = {},
  ): Promise<unknown> {
    const path = `/v1/connections/${segmentOf(this.name)}${target}`;
    return this.#transport.json({ method, target: path, ...more });
  }
}

/** Nobody who gave a limit waits on because the daemon does not answer. */
function patienceOf(limitMs: number): number {
  return limitMs + GRACE_MS;
}

function durationOf(ms: number, option: string): string {
  checkMs(ms, option);
  return `${String(Math.round(ms))}ms`;
}
