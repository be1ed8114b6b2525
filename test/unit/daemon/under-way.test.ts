import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { setSabotage } from '../../support/failpoints.ts';

/*
 * How much one key may have under way at once. The calls are streams of events, which last until somebody ends them.
 */

const start = daemonFixture();
const open: (IncomingMessage | Socket)[] = [];

afterEach(() => {
  setSabotage('calls-under-way', false);
  for (const stream of open.splice(0)) stream.destroy();
});

/** Opens a stream that stays open. */
async function hold({ daemon }: TestDaemon, key: string, isTcp = true): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${key}` };
  const options = { path: '/v1/events', headers, agent: false };
  const asked = isTcp
    ? request(daemon.address ?? '', options)
    : request({ ...options, socketPath: daemon.socket });
  const [stream] = (await once(asked.end(), 'response')) as [IncomingMessage];
  open.push(stream.on('error', () => undefined));
  expect(stream.statusCode).toBe(200);
  return stream.resume();
}

async function withKey(callsPerKey = 3): Promise<{ test: TestDaemon; key: string }> {
  const test = await start({ listen: '127.0.0.1:0', callsPerKey });
  return { test, key: await test.key({ verbs: ['read'] }) };
}

/** What a call that ends at once is answered with. */
async function statusOf({ ask }: TestDaemon, key: string): Promise<number> {
  return (await ask('/v1/connections', { tcp: true, key })).status;
}

/** Asks until the daemon has noticed that a call has ended. */
async function untilLetIn(test: TestDaemon, key: string): Promise<void> {
  for (let i = 0; (await statusOf(test, key)) !== 200; i++)
    if (i > 2_000) throw new Error('the key is not let in again');
}

describe('a key with as many calls under way as it may have', () => {
  it('is refused another one, and let in again when one has ended', async () => {
    const { test, key } = await withKey();
    const [first] = [await hold(test, key), await hold(test, key), await hold(test, key)];
    const refused = await test.ask('/v1/connections', { tcp: true, key });
    expect([refused.status, refused.json.code, refused.json.kind]).toEqual([
      429,
      'ERR_CALLS_EXCEEDED',
      'ServerUnavailableError',
    ]);
    expect(refused.headers['retry-after']).toBe('1');
    expect(refused.json.retryAt).toBe(test.world.clock.now() + 1_000);
    first.destroy();
    await untilLetIn(test, key);
  });

  it('keeps nobody else out, neither another key nor the owner', async () => {
    const { test, key } = await withKey();
    for (let i = 0; i < 3; i++) await hold(test, key);
    expect(await statusOf(test, await test.key({ verbs: ['read'] }))).toBe(200);
    expect((await test.ask('/v1/connections')).status).toBe(200);
    expect((await test.ask('/healthz', { tcp: true })).status).toBe(200);
  });

  it('is refused on the socket as well, where only the owner without a key has no bound', async () => {
    const { test, key } = await withKey();
    for (let i = 0; i < 3; i++) await hold(test, key, false);
    expect((await test.ask('/v1/connections', { key })).status).toBe(429);
    expect((await test.ask('/v1/connections')).status).toBe(200);
  });

  it('is in the audit with the calls that were refused', async () => {
    const { test, key } = await withKey();
    for (let i = 0; i < 3; i++) await hold(test, key);
    await statusOf(test, key);
    await test.world.pass(1_000);
    const draws = await test.store.access.draws({ limit: 1 });
    expect(draws).toMatchObject([
      { caller: 'key-1', what: 'listConnections', refusedBecause: 'too many calls at once' },
    ]);
  });

  it('is refused what it pipelines on one connection, whose end gives back all places', async () => {
    const { test, key } = await withKey();
    const { hostname, port, host } = new URL(test.daemon.address ?? '');
    const socket = connect(Number(port), hostname);
    open.push(socket.on('error', () => undefined).resume());
    const head = `GET /v1/events HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`;
    socket.write(head.repeat(3));
    for (let i = 0; (await statusOf(test, key)) === 200; i++)
      if (i > 2_000) throw new Error('what was pipelined is not counted');
    socket.destroy();
    await untilLetIn(test, key);
    for (let i = 0; i < 3; i++) await hold(test, key);
  });

  it('may have another number of them when the settings were read again', async () => {
    const { test, key } = await withKey(1);
    await hold(test, key);
    expect(await statusOf(test, key)).toBe(429);
    expect(await test.daemon.reload({ listen: '127.0.0.1:0', callsPerKey: 2 })).toEqual([]);
    expect(await statusOf(test, key)).toBe(200);
  });

  it('would be let in without this defence', async () => {
    const { test, key } = await withKey();
    setSabotage('calls-under-way', true);
    for (let i = 0; i < 4; i++) await hold(test, key);
  });
});

it('calls that end at once leave no place taken', async () => {
  const { test, key } = await withKey(1);
  for (let i = 0; i < 20; i++) await untilLetIn(test, key);
  const none = await test.ask('/v1/connections/none', { tcp: true, key });
  expect([none.status, none.json.code]).toEqual([404, 'ERR_CONNECTION_UNKNOWN']);
  await untilLetIn(test, key);
});
