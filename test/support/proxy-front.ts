import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type LookupFunction, type Socket } from 'node:net';
import { AccessToken } from '../../src/access-token.ts';
import {
  problemHeaders,
  problemOf,
  requestProblem,
  type Problem,
} from '../../src/daemon/api/problem.ts';
import { shapeRefusal } from '../../src/daemon/http/shape.ts';
import { createProxy, type Admit, type ProxyCall } from '../../src/daemon/proxy/proxy.ts';
import { NotFoundError } from '../../src/errors.ts';
import type { ReplayRoom } from '../../src/daemon/proxy/replay-room.ts';
import type { ApiAccess, ApiFinding } from '../../src/resource/exchange.ts';
import { newApiMemory } from '../../src/resource/memory.ts';
import { Secret } from '../../src/secret.ts';
import type { Clock } from '../../src/system/clock.ts';
import { systemClock } from '../../src/system/clock.ts';
import { undiciStreaming } from '../../src/system/undici-streaming.ts';

/*
 * The proxy behind a bare server, with a keeper that makes a new generation whenever a refused one is the newest. Whatever is not the proxy's own
 * is left out: keys, audit, store.
 */

/** What the tokens look like; the generation follows. */
export const TOKEN = 'canary-token-';
/** The gateway's key. */
export const KEY = 'canary-subscription-key';
/** The name under which callers call. */
export const HOST = 'localhost';

/** How a front is made. */
export interface FrontOptions {
  /** Origins of the API, the first of them its base. */
  readonly origins: readonly string[];
  /** The base, where it is not the first origin. */
  readonly base?: string;
  /** Whether the API documents limits. */
  readonly isLimited?: boolean;
  readonly admit?: Admit;
  readonly lookup?: LookupFunction;
  readonly clock?: Clock;
  readonly headTimeoutMs?: number;
  /** Where bodies are kept that may be repeated. */
  readonly room?: ReplayRoom;
  /** Waited for before a token is served; what it throws is why there is none. */
  readonly beforeToken?: () => Promise<void> | void;
}

/** A running front. */
export interface Front extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:port/proxy/it`, without a slash at its end. */
  readonly url: string;
  /** Calls that were decided about. */
  readonly calls: ProxyCall[];
  readonly findings: ApiFinding[];
  /** What went wrong inside, never told to callers. */
  readonly faults: unknown[];
  /** Refreshes so far. */
  refreshes: number;
  readonly access: ApiAccess;
  readonly server: Server;
}

/** Starts one; its one connection is called `it`. */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { origins, base = `${origins[0] ?? ''}/`, clock = systemClock } = options;
  const streaming = undiciStreaming({
    lookup: options.lookup,
    headTimeoutMs: options.headTimeoutMs,
  });
  let generation = 1;
  const access: ApiAccess = {
    token: async ({ rejected }) => {
      await options.beforeToken?.();
      if (rejected?.generation === generation) {
        front.refreshes++;
        generation++;
      }
      return new AccessToken(TOKEN + String(generation), {
        type: 'Bearer',
        scope: [],
        expiresAt: 0,
        generation,
      });
    },
    api: {
      origins,
      base,
      headers: {
        'Ocp-Apim-Subscription-Key': { setting: 'subscriptionKey' },
        tid: { setting: 'perspioTenantId' },
        Accept: { value: 'application/json' },
      },
      ...(options.isLimited === true && {
        limits: [{ requests: 20, windowMs: 90_000, sharedBy: 'client' }],
      }),
    },
    settings: { subscriptionKey: new Secret(KEY), perspioTenantId: 'in-1' },
    clock,
    memory: newApiMemory(),
    report: (finding) => front.findings.push(finding),
  };
  const proxy = createProxy({
    api: async (name) => {
      if (name === 'it') return access;
      throw new NotFoundError('ERR_CONNECTION_UNKNOWN', 'there is no such connection');
    },
    streaming,
    ...(options.room !== undefined && { room: options.room }),
  });
  const admit: Admit = async (call) => {
    front.calls.push(call);
    await options.admit?.(call);
  };
  // What was pipelined behind a refused message is not served.
  const condemned = new WeakSet<Socket>();
  const server = createServer({ requireHostHeader: false });
  server.on('request', (request, response) => {
    if (condemned.has(request.socket)) return;
    const refuse = (problem: Problem): void => {
      condemned.add(request.socket);
      if (response.headersSent) return void response.destroy();
      const headers = { ...problemHeaders(problem, clock.now()), connection: 'close' };
      response.writeHead(problem.status, {
        ...headers,
        'content-type': 'application/problem+json',
      });
      response.end(JSON.stringify(problem));
    };
    const hosts = new Set([HOST, `127.0.0.1:${String(front.port)}`]);
    const refusal = shapeRefusal(request, { hosts, origins: new Set() });
    if (refusal !== undefined) return refuse(requestProblem(refusal.status, refusal.detail));
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the caller went away'));
    });
    proxy(request, response, { admit, signal: gone.signal }).catch((error: unknown) => {
      const problem = problemOf(error);
      if (problem.code === 'ERR_FAULT' && !gone.signal.aborted) front.faults.push(error);
      refuse(problem);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const front: Front = {
    port,
    url: `http://127.0.0.1:${String(port)}/proxy/it`,
    calls: [],
    findings: [],
    faults: [],
    refreshes: 0,
    access,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await streaming.close();
    },
  };
  return front;
}

/** Sends bytes to a port and reads until the other side closes, or `isEnough` says so. */
export function sendRaw(
  port: number,
  bytes: string,
  isEnough: (received: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (isEnough(received)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
    socket.write(bytes, 'latin1');
  });
}
