import { request } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  daemonFixture,
  type Ask,
  type Answer,
  type TestDaemon,
} from '../../support/daemon-fixture.ts';
import type { Verb } from '../../../src/store/access-store.ts';
import { setSabotage } from '../../support/failpoints.ts';

vi.setConfig({ testTimeout: 60_000 });

/*
 * Calls whose answer takes its time, when their key is revoked meanwhile.
 */

const start = daemonFixture();
let made: TestDaemon | undefined;

afterEach(() => {
  setSabotage('standing', false);
  // A daemon that ends waits for what is held.
  made?.world.emulator.faults.release();
});

interface Waiting {
  readonly test: TestDaemon;
  readonly call: Promise<Answer>;
  /** Whether the answer is there. */
  readonly isOver: () => boolean;
}

/** Makes a call that has to wait for a refresh, which the server holds. */
async function waiting(verb: Verb, target: string, ask: Ask = {}): Promise<Waiting> {
  const test = await start({ listen: '127.0.0.1:0' });
  made = test;
  const key = await test.key({ verbs: [verb] });
  const { faults, ledger } = test.world.emulator;
  await test.world.add('a', { withoutAccessToken: true });
  faults.next('hold-before-commit');
  const call = test.ask(target, { ...ask, key, tcp: true });
  let isOver = false;
  void call.finally(() => (isOver = true));
  await ledger.waitFor(1, { held: true });
  await test.world.quiet();
  expect(isOver).toBe(false);
  return { test, call, isOver: () => isOver };
}

async function revoke({ store, world }: TestDaemon): Promise<void> {
  await store.access.revokeKeys('key-1', world.clock.now());
}

/** Lets a few seconds pass. */
async function later({ world }: TestDaemon, isDone: () => boolean): Promise<void> {
  for (let i = 0; i < 16 && !isDone(); i++) await world.pass(250);
}

const CALLS: readonly (readonly [string, Verb, string, Ask])[] = [
  ['a token', 'token', '/v1/connections/a/token?timeout=30d', {}],
  ['a refresh', 'manage', '/v1/connections/a/refresh', { method: 'POST', body: {} }],
  ['all that is due', 'manage', '/v1/refresh-due', { method: 'POST', body: {} }],
];

describe('whoever waits for', () => {
  it.each(CALLS)('%s waits no more within seconds after its key is revoked', async (...call) => {
    const [, verb, target, ask] = call;
    const { test, call: answer, isOver } = await waiting(verb, target, ask);
    await revoke(test);
    await later(test, isOver);
    expect(isOver()).toBe(true);
    const { status, json } = await answer;
    expect([status, json.code]).toEqual([401, 'ERR_ACCESS_REFUSED']);
    // What is under way may hold the only copy of a refresh token.
    test.world.emulator.faults.release();
    await test.world.quiet();
    const { generation } = await test.world.first.keeper.connection('a').status();
    expect(generation).toBe(2);
  });

  it.each(CALLS)('%s is not told when the answer comes just after that', async (...call) => {
    const [, verb, target, ask] = call;
    const { test, call: answer } = await waiting(verb, target, ask);
    await revoke(test);
    test.world.emulator.faults.release();
    const { status, json } = await answer;
    expect([status, json.code]).toEqual([401, 'ERR_ACCESS_REFUSED']);
  });

  it('a token is not told either why there is none', async () => {
    const [, , target] = CALLS[0] ?? [];
    const { test, call: answer } = await waiting('token', target ?? '');
    const { emulator, first } = test.world;
    const ended = first.keeper.connection('a').disconnect();
    await revoke(test);
    emulator.faults.release();
    const { status, json } = await answer;
    expect([status, json.code]).toEqual([401, 'ERR_ACCESS_REFUSED']);
    await test.world.during(ended);
  });

  it.each(CALLS)('%s is told where this defence is missing', async (...call) => {
    const [, verb, target, ask] = call;
    setSabotage('standing', true);
    const { test, call: answer, isOver } = await waiting(verb, target, ask);
    await revoke(test);
    await later(test, isOver);
    expect(isOver()).toBe(false);
    test.world.emulator.faults.release();
    expect((await answer).status).toBe(200);
  });
});

describe('an order whose body came after its key was revoked', () => {
  it('is not carried out', async () => {
    const test = await start({ listen: '127.0.0.1:0' });
    const key = await test.key({ verbs: ['manage'] });
    await test.world.add('a');
    const headers = {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': '2',
    };
    const target = new URL('/v1/connections/a/pause', test.daemon.address);
    const asked = request(target, { method: 'POST', headers, agent: false });
    const status = new Promise((resolve, reject) => {
      asked.on('response', (heard) => resolve(heard.resume().statusCode)).on('error', reject);
    });
    const isFiled = async (): Promise<boolean> =>
      (await test.store.access.draws({ limit: 10 })).some(({ what }) => what === 'pause');
    asked.write('{');
    await vi.waitUntil(isFiled, { timeout: 30_000 });
    await revoke(test);
    asked.end('}');
    expect(await status).toBe(401);
    const { state } = await test.world.first.keeper.connection('a').status();
    expect(state).toBe('active');
  });
});
