import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';

/*
 * Many streams of events at once: what they cost while nothing happens, and when something does.
 */

const start = daemonFixture();
const open: IncomingMessage[] = [];

afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

interface Reader {
  readonly stream: IncomingMessage;
  readonly text: () => string;
}

async function listen({ daemon }: TestDaemon, key: string, query = ''): Promise<Reader> {
  const headers = { authorization: `Bearer ${key}` };
  const path = `/v1/events${query}`;
  const asked = request({ socketPath: daemon.socket, path, headers, agent: false }).end();
  const [stream] = (await once(asked, 'response')) as [IncomingMessage];
  open.push(stream);
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined);
  return { stream, text: () => text };
}

function closed(stream: IncomingMessage): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

/** Counts how often the store is asked about events and keys. */
function countLooks({ store: { access } }: TestDaemon): { count: number } {
  const looks = { count: 0 };
  const { eventRange, events, key } = access;
  access.eventRange = () => (looks.count++, eventRange.call(access));
  access.events = (...asked) => (looks.count++, events.apply(access, asked));
  access.key = (id) => (looks.count++, key.call(access, id));
  return looks;
}

/** Looks at the store in ten seconds in which nothing happens, by the number of streams. */
async function looksOf(count: number): Promise<number> {
  const test = await start();
  const key = await test.key({ verbs: ['read'] });
  for (let i = 0; i < count; i++) await listen(test, key);
  await test.world.pass(1_000);
  const looks = countLooks(test);
  await test.world.pass(10_000);
  return looks.count;
}

async function until({ world }: TestDaemon, isDone: () => boolean, what: string): Promise<void> {
  for (let i = 0; !isDone(); i++) {
    if (i > 500) throw new Error(`not seen: ${what}`);
    await world.pass(250);
  }
}

describe('many streams of events', () => {
  it('cost as many looks at the store as one while nothing happens', async () => {
    const one = await looksOf(1);
    // Four a second at the feed, one at the key.
    expect([one, await looksOf(40)]).toEqual([50, 50]);
  });

  it('read what happens once for all of them, and each is told', async () => {
    const test = await start();
    const key = await test.key({});
    const readers: Reader[] = [];
    for (let i = 0; i < 40; i++) readers.push(await listen(test, key));
    await test.world.pass(1_000);
    let reads = 0;
    const { access } = test.store;
    const { events } = access;
    access.events = (...asked) => (reads++, events.apply(access, asked));
    await test.world.add('alpha');
    const hasHeard = ({ text }: Reader): boolean => text().includes('"connection":"alpha"');
    await until(test, () => readers.every(hasHeard), 'alpha');
    expect(reads).toBeGreaterThan(0);
    // Adding one connection may be seen in two looks; it is not seen by forty.
    expect(reads).toBeLessThanOrEqual(4);
  });

  it('tell those that begin far behind all that they missed, beside those that are not', async () => {
    const test = await start();
    const key = await test.key({});
    const newest = await listen(test, key);
    for (let i = 0; i < 3; i++) await test.world.add(`old-${i}`);
    const oldest = await listen(test, key, '?after=0');
    await test.world.add('new');
    for (const reader of [newest, oldest])
      await until(test, () => reader.text().includes('"connection":"new"'), 'new');
    for (const { text } of [newest, oldest]) {
      const told = [...text().matchAll(/"connection":"([^"]+)"/g)].map(([, name]) => name);
      expect(told).toEqual(['old-0', 'old-1', 'old-2', 'new']);
    }
  });

  it('cost nothing when the last of them has ended', async () => {
    const test = await start();
    const { stream } = await listen(test, await test.key({}));
    const looks = countLooks(test);
    await test.world.pass(1_000);
    expect(looks.count).toBeGreaterThan(0);
    stream.destroy();
    const isSilent = (): boolean => {
      const { count } = looks;
      looks.count = 0;
      return count === 0;
    };
    await until(test, isSilent, 'a quarter of a second without a look');
    await test.world.pass(5_000);
    expect(looks.count).toBe(0);
  });

  it('end when the store cannot be read, and begin again when it can', async () => {
    const test = await start();
    const key = await test.key({});
    const readers = [await listen(test, key), await listen(test, key)];
    await test.world.pass(1_000);
    const ends = readers.map(({ stream }) => closed(stream));
    const { eventRange } = test.store.access;
    test.store.access.eventRange = () => {
      throw new Error('the disk is gone');
    };
    await test.world.pass(1_000);
    await Promise.all(ends);
    expect(test.log.join('\n')).toContain('the disk is gone');
    test.store.access.eventRange = eventRange;
    const again = await listen(test, key);
    await test.world.add('alpha');
    await until(test, () => again.text().includes('"connection":"alpha"'), 'alpha');
  });
});
