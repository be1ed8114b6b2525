import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';

/*
 * Readers of a stream that do not read. What is taken from the store for them ends up in the daemon's memory, so it must come to a stand.
 */

const start = daemonFixture();
const open: IncomingMessage[] = [];

afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

/** Opens a stream and does not read it. */
async function openUnread({ daemon }: TestDaemon, path: string, key: string) {
  const headers = { authorization: `Bearer ${key}` };
  const asked = request({ socketPath: daemon.socket, path, headers, agent: false }).end();
  const [stream] = (await once(asked, 'response')) as [IncomingMessage];
  open.push(stream.on('error', () => undefined));
  return stream;
}

/** Sources without end. @returns bytes that were taken of them. */
function endless({ store: { access }, world }: TestDaemon): { taken: number } {
  const asked = { taken: 0 };
  const detail = 'x'.repeat(1_000);
  access.eventRange = () => ({ first: 1, last: 1e9 });
  access.events = (after, limit) => {
    asked.taken += limit * detail.length;
    const event = { at: 0, event: 'refreshed', connection: 'a', generation: 1, detail } as const;
    return Array.from({ length: limit }, (_, i) => ({
      ...{ ...event, id: after + 1 + i, connectionId: 'a' },
    }));
  };
  const { keeper } = world.first;
  const { connection } = keeper;
  keeper.list = async ({ limit = 1, afterName = '0' } = {}) => {
    const one = await connection.call(keeper, 'a').status();
    asked.taken += limit * 500;
    const from = Number(afterName === '' ? 0 : afterName);
    return Array.from({ length: limit }, (_, i) => ({ ...one, name: String(from + i + 1) }));
  };
  return asked;
}

/** What no buffer on the way holds. */
const TOO_MUCH = 64 * 2 ** 20;

/** Waits until a number has not changed for many turns of the event loop. */
async function standstill(figure: () => number): Promise<void> {
  for (let still = 0, before = -1; still < 2_000 && before < TOO_MUCH; still++) {
    await turn();
    if (figure() !== before) still = 0;
    before = figure();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A daemon with sources without end, and a reader who does not read, once nothing more is taken for it. */
async function unread(path: string) {
  const test = await start();
  await test.world.add('a');
  const key = await test.key({});
  const asked = endless(test);
  const stream = await openUnread(test, path, key);
  await standstill(() => asked.taken);
  return { test, asked, stream };
}

describe.each(['/v1/events?after=1', '/v1/glance'])('a reader of %s that does not read', (path) => {
  it('costs no more than what is on the way', async () => {
    const { asked } = await unread(path);
    expect(asked.taken).toBeGreaterThan(0);
    expect(asked.taken).toBeLessThan(TOO_MUCH);
  });

  it('is told on where it stopped when it reads on', async () => {
    const { asked, stream } = await unread(path);
    const before = asked.taken;
    let read = 0;
    stream.on('data', (chunk: Buffer) => (read += chunk.length));
    for (let i = 0; asked.taken < 2 * before; i++) {
      if (i > 50_000) throw new Error(`only ${String(read)} bytes were read`);
      await turn();
    }
    expect(read).toBeGreaterThan(0);
  });

  it('leaves nothing open when its key is revoked', async () => {
    const { test, stream } = await unread(path);
    await test.store.access.revokeKeys('key-1', test.world.clock.now());
    // A world in which something waits to be written is never quiet.
    await test.world.clock.advance(2_000);
    const closed = new Promise((resolve) => stream.once('close', resolve));
    stream.resume();
    await closed;
    expect(stream.complete).toBe(false);
  });
});
