import { request, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';

const start = daemonFixture();
const open: IncomingMessage[] = [];

afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

interface Listening {
  readonly text: () => string;
  /** Lets time pass until this was said. */
  until(pattern: RegExp): Promise<void>;
  readonly ended: Promise<void>;
}

async function listen(
  { daemon, world }: TestDaemon,
  headers: Readonly<Record<string, string>> = {},
  query = '',
): Promise<Listening> {
  const asked = request({
    socketPath: daemon.socket,
    path: `/v1/events${query}`,
    headers,
    agent: false,
  });
  asked.end();
  const response = await new Promise<IncomingMessage>((resolve) => asked.on('response', resolve));
  open.push(response);
  expect(response.headers['content-type']).toBe('text/event-stream');
  let text = '';
  response.on('data', (chunk: Buffer) => (text += chunk.toString())).on('error', () => undefined);
  const ended = new Promise<void>((resolve) => response.on('close', () => resolve()));
  const until = async (pattern: RegExp): Promise<void> => {
    for (let i = 0; !pattern.test(text); i++) {
      if (i > 500) throw new Error(`not said: ${String(pattern)} in ${text}`);
      await world.pass(250);
    }
  };
  return { text: () => text, until, ended };
}

function idsIn(text: string): number[] {
  return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
}

describe('events', () => {
  it('come as they happen, whichever process records them', async () => {
    const test = await start();
    const stream = await listen(test);
    await test.world.add('alpha');
    await stream.until(/^event: connected\ndata: .*"connection":"alpha"/m);
    const other = await test.world.open();
    await other.keeper.connection('alpha').pause();
    await stream.until(/^event: paused$/m);
  });

  it('are resumed after the one known, none twice and none left out', async () => {
    const test = await start();
    for (const name of ['a', 'b', 'c']) await test.world.add(name);
    const first = await listen(test, {}, '?after=0');
    await first.until(/"connection":"c"/);
    const [begin, , second, ...rest] = idsIn(first.text());
    expect(begin).toBe(0);
    const again = await listen(test, { 'last-event-id': String(second) });
    await test.world.add('d');
    await again.until(/"connection":"d"/);
    expect(again.text()).not.toMatch(/"connection":"[ab]"/);
    expect(idsIn(again.text())).toEqual([second, ...rest, 4]);
  });

  it('say where they begin, so that a stream that breaks before the first can be resumed', async () => {
    const test = await start();
    await test.world.add('a');
    const first = await listen(test);
    await first.until(/^id: 1$/m);
    expect(first.text()).toBe('retry: 2000\nid: 1\n\n');
    await test.world.add('missed');
    const again = await listen(test, { 'last-event-id': '1' });
    await again.until(/"connection":"missed"/);
  });

  it('tell a key of its connections alone, and move it on past the others', async () => {
    const test = await start();
    const secret = await test.key({ connections: ['mine'], verbs: ['read'] });
    const stream = await listen(test, { authorization: `Bearer ${secret}` });
    await test.world.add('theirs');
    await stream.until(/^id: 1$/m);
    await test.world.add('mine');
    await stream.until(/"connection":"mine"/);
    expect(stream.text()).not.toContain('theirs');
  });

  it('say so where what was missed is not kept any more', async () => {
    const test = await start();
    for (const name of ['a', 'b', 'c']) await test.world.add(name);
    const events = test.store.access.events.bind(test.store.access);
    test.store.access.eventRange = () => ({ first: 3, last: 3 });
    test.store.access.events = (after, limit) => events(Math.max(after, 2), limit);
    const stream = await listen(test, { 'last-event-id': '1' });
    await stream.until(/^event: gap$/m);
  });

  it('hold a silent connection, and end when the daemon does', async () => {
    const test = await start();
    const stream = await listen(test);
    await stream.until(/^: still here$/m);
    const closed = test.daemon.close(20_000);
    await stream.ended;
    await test.world.during(closed);
  });

  it.each(['x', '-1', '1e3'])('are not resumed after %j', async (id) => {
    const { ask } = await start();
    expect((await ask('/v1/events', { headers: { 'last-event-id': id } })).status).toBe(400);
  });
});
