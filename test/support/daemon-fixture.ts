import { request, type IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach } from 'vitest';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import type { DaemonOptions } from '../../src/daemon/options.ts';
import { createKey, type NewKey } from '../../src/daemon/access/key.ts';
import { lineLog } from '../../src/daemon/log.ts';
import type { DaemonSettings } from '../../src/settings.ts';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Policy } from '../../src/store/access-store.ts';
import { systemRandom } from '../../src/system/random.ts';
import type { Streaming } from '../../src/system/streaming.ts';
import { undiciStreaming } from '../../src/system/undici-streaming.ts';
import { worldFixture, type World } from './keeper-under-test.ts';

/*
 * A daemon over a keeper with an emulator, all on one fake clock. Its sockets are real; every answer is checked against its schema.
 */

/** An answer of a daemon. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; its members are judged by the test. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any;
}

/** A request of a test. */
export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly key?: string;
  /** By TCP instead of the socket. */
  readonly tcp?: boolean;
}

/** A daemon that a test talks to. */
export interface TestDaemon {
  readonly world: World;
  readonly daemon: Daemon;
  readonly store: SqliteStore;
  /** Lines of its log. */
  readonly log: string[];
  /** Webhooks under way. */
  readonly underWay: () => number;
  /** Sends a request; the fake clock stands. */
  ask(target: string, ask?: Ask): Promise<Answer>;
  /** Makes a key. @returns what its holder gets. */
  key(policy: Partial<Policy>, more?: Partial<NewKey>): Promise<string>;
}

/** Gives a test file a way to start daemons that end after each test. */
export function daemonFixture(): (
  settings?: DaemonSettings,
  environment?: Readonly<Record<string, string>>,
  more?: Partial<DaemonOptions>,
) => Promise<TestDaemon> {
  const newWorld = worldFixture();
  const running: Daemon[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((daemon) => daemon.close(0)));
  });
  return async (settings = {}, environment = {}, more = {}) => {
    const world = await newWorld();
    const { keeper } = world.first;
    const store = world.first.store;
    const log: string[] = [];
    const { hooks, underWay } = countedHooks();
    const daemon = await startDaemon({
      ...{ keeper, store, settings, api: world.first.api },
      streaming: undiciStreaming(),
      ...{ hooks, environment },
      socket: path.join(world.home, 'run', 'evergrant.sock'),
      clock: world.clock,
      random: systemRandom,
      log: lineLog('text', world.clock, (line) => log.push(line)),
      checkAnswers: true,
      ...more,
    });
    running.push(daemon);
    let made = 0;
    return {
      ...{ world, daemon, store, log, underWay },
      ask: (target, ask = {}) => send(daemon, target, ask),
      key: async (policy, more = {}) => {
        const { secret, key } = createKey(systemRandom, {
          name: `key-${++made}`,
          policy: { connections: ['*'], verbs: ['token', 'proxy', 'read', 'manage'], ...policy },
          now: world.clock.now(),
          expiresAt: undefined,
          ...more,
        });
        await store.access.addKey(key);
        return secret.reveal();
      },
    };
  };
}

/** A way to receivers that tells how many exchanges are under way. */
export function countedHooks(): { readonly hooks: Streaming; readonly underWay: () => number } {
  const streaming = undiciStreaming({ isPrivateAllowed: true });
  let count = 0;
  const request: Streaming['request'] = async (asked) => {
    count++;
    try {
      return await streaming.request(asked);
    } finally {
      count--;
    }
  };
  return { hooks: { request, close: () => streaming.close() }, underWay: () => count };
}

/** Sends one request on a connection of its own. */
export async function send(daemon: Daemon, target: string, ask: Ask): Promise<Answer> {
  const { method = 'GET', body, key, tcp = false } = ask;
  const content = body === undefined ? undefined : JSON.stringify(body);
  const where = tcp ? tcpOf(daemon) : { socketPath: daemon.socket };
  const sent = request({
    ...where,
    method,
    path: target,
    agent: false,
    headers: {
      ...(content !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(content)),
      }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...ask.headers,
    },
  });
  sent.end(content);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  const answer = await text(response);
  const { statusCode: status = 0, headers } = response;
  const isJson = /^application\/(?:[\w-]+\+)?json\b/.test(headers['content-type'] ?? '');
  // The answer to a HEAD says what it would be.
  const json = isJson && answer !== '' ? JSON.parse(answer) : undefined;
  return { status, headers, text: answer, json };
}

function tcpOf({ address }: Daemon): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(address ?? '');
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}
