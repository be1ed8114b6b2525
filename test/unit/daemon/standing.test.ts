import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { SESSION_LIFE_MS } from '../../../src/daemon/browser/sessions.ts';
import { StoreError } from '../../../src/errors.ts';
import { startApi, type ApiServer } from '../../support/api-server.ts';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import type { Verb } from '../../../src/store/access-store.ts';
import { setSabotage } from '../../support/failpoints.ts';

/*
 * Streams that are open, and calls that are under way, when their caller is let in no more.
 */

const start = daemonFixture();
const open: IncomingMessage[] = [];

afterEach(() => {
  setSabotage('standing', false);
  for (const stream of open.splice(0)) stream.destroy();
});

interface Opened {
  readonly stream: IncomingMessage;
  readonly text: () => string;
  readonly isOver: () => boolean;
}

/** Opens a stream and reads it, unless told otherwise. */
async function opened(
  { daemon }: TestDaemon,
  path: string,
  headers: RequestOptions['headers'],
  isRead = true,
): Promise<Opened> {
  const asked = request(new URL(path, daemon.address), { headers, agent: false });
  asked.end();
  const stream = await new Promise<IncomingMessage>((resolve) => asked.on('response', resolve));
  open.push(stream);
  expect(stream.statusCode).toBe(200);
  let [text, isOver] = ['', false];
  stream.on('error', () => undefined).on('close', () => (isOver = true));
  if (isRead) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { stream, text: () => text, isOver: () => isOver };
}

/** Lets a few seconds pass, and what was sent come. */
async function later({ world }: TestDaemon, isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 16 && !isDone(); i++) await world.pass(250);
}

async function withKey(
  expiresInMs?: number,
  verb: Verb = 'read',
): Promise<{ test: TestDaemon; headers: object }> {
  const test = await start({ listen: '127.0.0.1:0' });
  const expiresAt = expiresInMs === undefined ? undefined : test.world.clock.now() + expiresInMs;
  const secret = await test.key({ verbs: [verb] }, { expiresAt });
  return { test, headers: { authorization: `Bearer ${secret}` } };
}

async function revoke({ store, world }: TestDaemon): Promise<void> {
  await store.access.revokeKeys('key-1', world.clock.now());
}

describe('events that a key is told', () => {
  it('end within seconds after it is revoked', async () => {
    const { test, headers } = await withKey();
    const { isOver, text } = await opened(test, '/v1/events', { ...headers });
    await later(test, () => false);
    expect(isOver()).toBe(false);
    await revoke(test);
    await later(test, isOver);
    expect(isOver()).toBe(true);
    await test.world.add('secret');
    await later(test, () => false);
    expect(text()).not.toContain('secret');
  });

  it('end within seconds after it has expired', async () => {
    const { test, headers } = await withKey(10_000);
    const { isOver } = await opened(test, '/v1/events', { ...headers });
    await test.world.pass(9_000);
    expect(isOver()).toBe(false);
    await test.world.pass(1_000);
    await later(test, isOver);
    expect(isOver()).toBe(true);
  });

  it('and this notices when nobody looks again', async () => {
    const { test, headers } = await withKey();
    const { isOver, text } = await opened(test, '/v1/events', { ...headers });
    setSabotage('standing', true);
    await revoke(test);
    await test.world.add('secret');
    await later(test, () => text().includes('secret'));
    expect([isOver(), text().includes('secret')]).toEqual([false, true]);
  });
});

describe('a call through the proxy whose key is revoked', () => {
  async function withApi(api: ApiServer): Promise<{ test: TestDaemon; headers: object }> {
    const made = await withKey(undefined, 'proxy');
    const { origin } = api;
    await made.test.world.add('a', {
      overrides: { api: { origins: [origin], base: `${origin}/` } },
    });
    return made;
  }

  it('is refused within seconds while the API thinks, and given up there', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<IncomingMessage>();
    await using api = await startApi((incoming) => resolve(incoming));
    const { test, headers } = await withApi(api);
    const call = test.ask('/proxy/a/slow', { tcp: true, headers: { ...headers } });
    const { socket } = await asked;
    await revoke(test);
    await later(test, () => socket.destroyed);
    expect(socket.destroyed).toBe(true);
    const { status, json } = await call;
    expect([status, json.code]).toEqual([401, 'ERR_ACCESS_REFUSED']);
  });

  it('goes on while the store cannot be asked for a moment, and is told that when it lasts', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<IncomingMessage>();
    await using api = await startApi((incoming) => resolve(incoming));
    const { test, headers } = await withApi(api);
    const call = test.ask('/proxy/a/slow', { tcp: true, headers: { ...headers } });
    const { socket } = await asked;
    const { access } = test.store;
    const { key } = Object.getPrototypeOf(access) as typeof access;
    const fail = (): never => {
      throw new StoreError('ERR_STORE_LOCKED', 'locked for a moment');
    };
    access.key = fail;
    await later(test, () => socket.destroyed);
    access.key = key;
    await later(test, () => socket.destroyed);
    access.key = fail;
    await later(test, () => socket.destroyed);
    expect(socket.destroyed).toBe(false);
    for (let i = 0; i < 3; i++) await later(test, () => socket.destroyed);
    expect(socket.destroyed).toBe(true);
    const { status, json } = await call;
    expect([status, json.code]).toEqual([503, 'ERR_STORE_LOCKED']);
  });

  it('ends within seconds in the middle of its answer, here and at the API', async () => {
    await using api = await startApi((_incoming, response) => response.write('begun'));
    const { test, headers } = await withApi(api);
    const { isOver, text } = await opened(test, '/proxy/a/endless', { ...headers });
    await later(test, () => text() === 'begun');
    expect([isOver(), text()]).toEqual([false, 'begun']);
    await revoke(test);
    const [{ socket } = { socket: undefined }] = api.seen;
    await later(test, () => isOver() && socket?.destroyed === true);
    expect([isOver(), socket?.destroyed]).toEqual([true, true]);
  });

  it('goes on where this defence is missing', async () => {
    setSabotage('standing', true);
    await using api = await startApi((_incoming, response) => response.write('begun'));
    const { test, headers } = await withApi(api);
    const { isOver } = await opened(test, '/proxy/a/endless', { ...headers });
    await revoke(test);
    await later(test, isOver);
    expect(isOver()).toBe(false);
  });
});

describe('a glance that nobody reads on', () => {
  /** Begins to read a list that is longer than what lies on the way. */
  async function glance(test: TestDaemon, headers: object): Promise<Opened> {
    const one = await test.world.first.keeper.connection('a').status();
    let count = 0;
    test.world.first.keeper.list = ({ limit = 1 } = {}) =>
      Promise.resolve(
        Array.from({ length: limit }, () => ({ ...one, name: `n${String(++count)}` })),
      );
    return opened(test, '/v1/glance', { ...headers }, false);
  }

  /** Reads what is on the way. @returns whether there was an end to it. */
  async function hasEnd(test: TestDaemon, { stream, isOver }: Opened): Promise<boolean> {
    stream.resume();
    await later(test, isOver);
    return isOver();
  }

  it('ends within seconds after its key is revoked', async () => {
    const { test, headers } = await withKey();
    await test.world.add('a');
    const listed = await glance(test, headers);
    await revoke(test);
    await later(test, () => false);
    expect(await hasEnd(test, listed)).toBe(true);
  });

  it('ends with the session of its browser, whose life it does not prolong', async () => {
    const { test } = await withKey();
    await test.world.add('a');
    const { cookie, proof } = await signIn(test);
    const listed = await glance(test, { cookie, 'evergrant-proof': proof });
    await test.world.clock.advance(SESSION_LIFE_MS, () => Promise.resolve());
    await later(test, () => false);
    expect(await hasEnd(test, listed)).toBe(true);
  });
});

async function signIn({ ask, daemon }: TestDaemon): Promise<{ cookie: string; proof: string }> {
  const link = await ask('/v1/dashboard-links', { method: 'POST', body: {} });
  const code = new URL(link.json.url as string).hash.slice(1);
  const from = { origin: daemon.address ?? '', 'sec-fetch-site': 'same-origin' };
  const session = { method: 'POST', tcp: true, body: { code }, headers: from };
  const { headers, json } = await ask('/v1/session', session);
  return { cookie: headers['set-cookie']?.[0]?.split(';')[0] ?? '', proof: json.proof as string };
}
