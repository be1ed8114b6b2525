import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createApplication } from '../../../src/daemon/application.ts';
import type { GateParts } from '../../../src/daemon/access/gate.ts';
import { streamRoute, type Call } from '../../../src/daemon/api/route.ts';
import { Standings, type StandingParts } from '../../../src/daemon/standing.ts';
import { silentLog } from '../../../src/system/log.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { daemonFixture } from '../../support/daemon-fixture.ts';

vi.setConfig({ testTimeout: 60_000 });

/*
 * Answers that do not come to their end: what the log and the metrics say of them.
 */

const start = daemonFixture();
const ends: (() => void)[] = [];
const ASK = 'GET /it HTTP/1.1\r\nHost: localhost\r\n\r\n';

afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

interface Heard {
  readonly socket: Socket;
  /** Status of what was observed. */
  readonly observed: Promise<number>;
  readonly warned: readonly string[];
}

/** One request for a route that does this. */
async function ask(stream: (call: Call) => Promise<void>): Promise<Heard> {
  const { promise: observed, resolve } = Promise.withResolvers<number>();
  const warned: string[] = [];
  const warn = (message: string, fields: object = {}): void =>
    void warned.push(`${message} ${JSON.stringify(fields)}`);
  const head = { method: 'GET', path: '/it', operation: 'it', summary: 'it' } as const;
  const application = createApplication({
    routes: [streamRoute({ ...head, access: 'anyone', type: 'text/plain', stream })],
    gate: {} as GateParts,
    standings: new Standings({} as StandingParts),
    ...{ clock: fakeClock(), log: { ...silentLog, warn } },
    observe: (_, status) => resolve(status),
  });
  const origin = { hosts: { hosts: new Set(['localhost']), origins: new Set<string>() } };
  const server = createServer((request, response) => {
    void application(request, response, { ...origin, isOwners: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(ASK);
  ends.push(
    () => server.close(),
    () => socket.destroy(),
  );
  return { socket, observed, warned };
}

describe('an answer', () => {
  it('that fails after its head is told in the log', async () => {
    const { observed, warned } = await ask(async ({ response }) => {
      response.writeHead(200).write('begun');
      await Promise.reject(new Error('out of paper'));
    });
    expect(await observed).toBe(200);
    expect(warned).toEqual([expect.stringContaining('out of paper')]);
  });

  it('whose caller has gone before its head is counted as 499, and is nothing odd', async () => {
    const begun = Promise.withResolvers<undefined>();
    const { socket, observed, warned } = await ask(async ({ response, signal }) => {
      begun.resolve(undefined);
      await once(response, 'close');
      throw signal.reason;
    });
    await begun.promise;
    socket.destroy();
    expect(await observed).toBe(499);
    expect(warned).toEqual([]);
  });

  it('whose caller goes after its head is nothing odd', async () => {
    const { socket, observed, warned } = await ask(async ({ response }) => {
      response.writeHead(200).write('begun');
      await once(response, 'close');
      throw new Error('nobody is there');
    });
    await once(socket, 'data');
    socket.destroy();
    expect(await observed).toBe(200);
    expect(warned).toEqual([]);
  });

  it('for a caller that waits for a refresh and goes is counted as 499', async () => {
    const test = await start();
    await test.world.add('alpha', { withoutAccessToken: true });
    test.world.emulator.faults.next('hang-before-commit');
    const socket = connect(test.daemon.socket).on('error', () => undefined);
    socket.write(ASK.replace('/it', '/v1/connections/alpha/token'));
    await test.world.emulator.ledger.waitFor(1);
    socket.destroy();
    const counted = 'evergrant_requests_total{operation="token",status="499"} 1';
    await vi.waitFor(async () => expect((await test.ask('/metrics')).text).toContain(counted), {
      timeout: 50_000,
    });
  });
});

describe('a HEAD', () => {
  it.each([
    ['/healthz', 200],
    ['/readyz', 200],
    ['/metrics', 200],
    ['/v1/connections', 200],
    ['/v1/connections/none', 404],
  ])('of %s is answered as a GET is, without its body', async (target, status) => {
    const { ask } = await start();
    const [head, get] = [await ask(target, { method: 'HEAD' }), await ask(target)];
    expect([head.status, get.status, head.text]).toEqual([status, status, '']);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
  });

  it.each(['/v1/events', '/'])('of %s is none that it takes', async (target) => {
    const { ask } = await start();
    const { status, headers } = await ask(target, { method: 'HEAD' });
    expect([status, headers.allow]).toEqual([405, 'GET']);
  });

  it('needs what a GET needs', async () => {
    const { ask } = await start({ listen: '127.0.0.1:0' });
    expect((await ask('/v1/connections', { method: 'HEAD', tcp: true })).status).toBe(401);
  });

  it('is named where another method is refused', async () => {
    const { ask } = await start();
    expect((await ask('/healthz', { method: 'PUT' })).headers.allow).toBe('GET, HEAD');
  });
});

describe('a file of the dashboard that is not there', () => {
  it('is refused as by every other route', async () => {
    const { status, headers } = await (await start()).ask('/assets/none.js');
    expect([status, headers['evergrant-error']]).toEqual([404, 'ERR_ARGUMENT']);
  });
});
