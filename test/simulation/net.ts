import { HttpConnectError, HttpExchangeError } from '../../src/system/http.ts';
import type { Http, HttpConnection, HttpRequest, HttpResponse } from '../../src/system/http.ts';
import type { NetPlan } from './plan.ts';
import type { Process } from './process.ts';
import type { Answer, Server } from './server.ts';
import type { World } from './world.ts';

/** What becomes of an exchange. */
type Fate =
  'whole' | 'notSent' | 'lostOnTheWay' | 'lostAnswer' | 'halfAnswer' | 'lateAnswer' | 'lateRequest';

/** One request to a token endpoint, from its bytes leaving to the process hearing of it. */
export interface Exchange {
  readonly process: Process;
  readonly server: Server;
  readonly attemptId: string;
  readonly refreshToken: string;
  /** True instant at which its bytes left. */
  readonly sentAt: number;
  answer: Answer | undefined;
  /** Whether the process got the whole answer. */
  delivered: boolean;
  /** The part of the answer's body that reached the process, where it was cut. */
  partial: string | undefined;
  /** Whether the process still waits for it. */
  ended: boolean;
  /** Whether the process wrote down what the answer meant. */
  settled: boolean;
  /** Whether the process gave up writing it down, as it may where it brought no token. */
  abandoned: boolean;
}

type SendOptions = Parameters<HttpConnection['send']>[1];

/** The network between processes and authorization servers. */
export class Net {
  /** While false nothing connects. */
  up = true;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** The network as a process sees it. */
  httpOf(process: Process): Http {
    return {
      connect: (url, { timeoutMs }) => this.#connect(process, url, timeoutMs),
      atHand: (url) => {
        const isThere = this.up && this.#world.rng.chance(0.3);
        return isThere ? this.#connectionTo(process, url) : undefined;
      },
      close: () => undefined,
    };
  }

  #connect(process: Process, url: URL, timeoutMs: number): Promise<HttpConnection> {
    const { rng, plan, faultsOn } = this.#world;
    const isRefused = faultsOn && (!this.up || rng.chance(plan.net.refusesConnection));
    const latency = isRefused && rng.chance(0.2) ? timeoutMs : this.#latency();
    return process.io('connecting', latency, () => {
      if (isRefused) throw new HttpConnectError('the simulated server cannot be reached');
      return this.#connectionTo(process, url);
    });
  }

  #connectionTo(process: Process, url: URL): HttpConnection {
    const server = this.#world.serverAt(url);
    return {
      send: (request, options) =>
        url.pathname === '/revoke'
          ? this.#revoke(process, server, request)
          : this.#send(process, server, request, options),
      close: () => undefined,
    };
  }

  #send(
    process: Process,
    server: Server,
    request: HttpRequest,
    options: SendOptions,
  ): Promise<HttpResponse> {
    const { hazards } = this.#world;
    const fate = this.#world.faultsOn ? this.#fate() : 'whole';
    return new Promise((resolve, reject) => {
      process.later(0, () => {
        hazards.strike(process, 'before sending');
        process.whenRunning(() => {
          if (fate === 'notSent') {
            reject(new HttpConnectError('the connection was closed before anything was sent'));
            return;
          }
          const exchange = beginExchange(process, server, request, this.#world.scheduler.now);
          this.#world.oracle.sends.sent(exchange);
          options.onSent?.();
          this.#carry(exchange, request, fate, options, { resolve, reject });
          this.#world.people.meddle(server.planOf(exchange.refreshToken));
          hazards.strike(process, 'after sending');
        });
      });
    });
  }

  /** The bytes are on their way: what happens to them from now on no longer depends on the process. */
  #carry(
    exchange: Exchange,
    request: HttpRequest,
    fate: Fate,
    { timeoutMs, signal }: SendOptions,
    settle: { resolve: (response: HttpResponse) => void; reject: (error: Error) => void },
  ): void {
    const { rng, scheduler } = this.#world;
    const { process, server } = exchange;
    const fail = (failure: 'reset' | 'timeout' | 'aborted', partial?: string): void => {
      if (exchange.ended) return;
      exchange.ended = true;
      exchange.partial = partial;
      const bytes = partial === undefined ? undefined : Buffer.from(partial);
      settle.reject(new HttpExchangeError(failure, failure, bytes && 200, bytes));
    };
    process.clock.timer(timeoutMs, () => {
      fail('timeout');
    });
    signal?.addEventListener('abort', () => {
      fail('aborted');
    });
    const isReset = rng.chance(0.6);
    const wayMs = this.#latency();
    const reset = (): void => {
      if (isReset) process.later(rng.spread(1, 30_000), () => fail('reset'));
    };
    if (fate === 'lostOnTheWay' || fate === 'lateRequest') reset();
    if (fate === 'lostOnTheWay') return;
    scheduler.after(fate === 'lateRequest' ? rng.spread(1_000, 200_000) : wayMs, () => {
      exchange.answer = server.handle(new URLSearchParams(request.body));
      this.#world.trace(server.clientId, `${exchange.refreshToken}: ${exchange.answer.kind}`);
      if (fate === 'lostAnswer') reset();
      if (fate === 'lostAnswer' || fate === 'lateRequest') return;
      const backMs = fate === 'lateAnswer' ? rng.spread(10_000, 320_000) : this.#latency();
      process.later(backMs, () => {
        this.#deliver(exchange, fate, settle.resolve, fail);
      });
    });
  }

  #deliver(
    exchange: Exchange,
    fate: Fate,
    resolve: (response: HttpResponse) => void,
    fail: (failure: 'reset', partial?: string) => void,
  ): void {
    const { process, answer } = exchange;
    const { hazards, rng } = this.#world;
    hazards.strike(process, 'before the answer');
    process.whenRunning(() => {
      if (exchange.ended || answer === undefined) return;
      const { status, headers, body } = answer;
      if (fate === 'halfAnswer') {
        fail('reset', body.slice(0, rng.between(0, body.length)));
        return;
      }
      exchange.ended = true;
      exchange.delivered = true;
      resolve({ status, headers, body: Buffer.from(body) });
    });
  }

  #revoke(process: Process, server: Server, { body }: HttpRequest): Promise<HttpResponse> {
    const { rng, plan, faultsOn } = this.#world;
    const isLost = faultsOn && rng.chance(plan.net.lostAnswer);
    return process.io('revoking', this.#latency(), () => {
      server.revoke(new URLSearchParams(body).get('token') ?? '');
      if (isLost) throw new HttpExchangeError('reset', 'reset');
      return { status: 200, headers: {}, body: new Uint8Array() };
    });
  }

  #fate(): Fate {
    const { rng, plan } = this.#world;
    const { notSent, lostOnTheWay, lostAnswer, halfAnswer, lateAnswer }: NetPlan = plan.net;
    const lateRequest = lostOnTheWay / 4;
    const all = { notSent, lostOnTheWay, lostAnswer, halfAnswer, lateAnswer, lateRequest };
    const some = Object.values(all).reduce((sum, one) => sum + one, 0);
    return rng.weighted({ ...all, whole: Math.max(0.1, 1 - some) }) ?? 'whole';
  }

  #latency(): number {
    const { rng, plan } = this.#world;
    return rng.exponential(plan.net.latencyMs);
  }
}

function beginExchange(
  process: Process,
  server: Server,
  { body, headers }: HttpRequest,
  sentAt: number,
): Exchange {
  return {
    process,
    server,
    attemptId: headers['client-request-id'] ?? '',
    refreshToken: new URLSearchParams(body).get('refresh_token') ?? '',
    sentAt,
    answer: undefined,
    delivered: false,
    partial: undefined,
    ended: false,
    settled: false,
    abandoned: false,
  };
}
