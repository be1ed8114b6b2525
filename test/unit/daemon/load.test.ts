import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';

const start = daemonFixture();
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function open({ daemon }: TestDaemon, message = ''): Promise<Socket> {
  const socket = connect(daemon.socket);
  socket.on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  if (message !== '') socket.write(message);
  return socket;
}

const HEAD =
  'POST /v1/refresh-due HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

describe('while others take their time', () => {
  it('a thousand idle sockets, slow heads and long bodies change nothing for a caller', async () => {
    const test = await start();
    await test.world.add('alpha');
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 1_000; i++) await open(test, i % 2 === 0 ? '' : 'GET / HTTP/1.1\r\nHos');
    const flood = await open(test, `${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    for (let i = 0; i < 1_600 && !flood.destroyed; i++) {
      if (flood.write(chunk)) continue;
      await Promise.race([once(flood, 'drain'), once(flood, 'close')]).catch(() => undefined);
    }
    for (let i = 0; i < 50; i++) {
      expect((await test.ask('/v1/connections/alpha/token')).status).toBe(200);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 2 ** 20);
  });

  it('a body that is too long is refused before it is read whole', async () => {
    const test = await start();
    const socket = await open(test, `${HEAD}Content-Length: 100000000\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toString().toLowerCase()).toContain('connection: close');
  });

  it('a body that does not come is given up', async () => {
    const test = await start();
    const socket = await open(test, `${HEAD}Content-Length: 10\r\n\r\n{`);
    const answered = once(socket, 'data') as Promise<[Buffer]>;
    await test.world.quiet();
    await test.world.pass(10_000);
    expect((await answered)[0].toString()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('a flood of fields is refused', async () => {
    const test = await start();
    const fields = Array.from({ length: 2_000 }, (_, i) => `X-${i}: ${'y'.repeat(50)}\r\n`).join(
      '',
    );
    const socket = await open(test, `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

describe('while the authorization server hangs', () => {
  it('tokens that live are served, and callers that go away are let go', async () => {
    const test = await start();
    await test.world.add('living');
    await test.world.add('waiting', { withoutAccessToken: true });
    test.world.emulator.faults.next('hang-before-commit');
    const waiting = await open(
      test,
      'GET /v1/connections/waiting/token HTTP/1.1\r\nHost: localhost\r\n\r\n',
    );
    await test.world.emulator.ledger.waitFor(1);
    for (let i = 0; i < 20; i++) {
      expect((await test.ask('/v1/connections/living/token')).status).toBe(200);
    }
    waiting.destroy();
    expect((await test.ask('/v1/connections/living/token')).status).toBe(200);
  });
});

describe('ending', () => {
  it('lets what is under way end, takes nothing new, and gives up what lasts too long', async () => {
    const test = await start();
    await test.world.add('alpha', { withoutAccessToken: true });
    test.world.emulator.faults.next('hold-before-commit');
    const asked = test.ask('/v1/connections/alpha/token');
    await test.world.emulator.ledger.waitFor(1);
    const idle = await open(test, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(idle, 'data');
    const closed = test.daemon.close(20_000);
    await test.world.quiet();
    await expect(test.ask('/healthz')).rejects.toThrow(/ENOENT|ECONNREFUSED/);
    test.world.emulator.faults.release();
    const answer = await asked;
    expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
    await test.world.during(closed);
    expect(await test.store.access.draws({ limit: 9 })).toHaveLength(1);
  });
});
