import { expect, it } from 'vitest';
import { perspio } from '../../../../src/providers/perspio.ts';
import { daemonFixture } from '../../../support/daemon-fixture.ts';

/*
 * The proxy where it belongs: behind the gate of a daemon, with a keeper's tokens, before the emulator's API.
 */

const start = daemonFixture();

it('calls the API with the credentials of the connection, and never with those of the caller', async () => {
  const { ask, key, world } = await start({ listen: '127.0.0.1:0' });
  await world.add('a');
  const mine = await key({ verbs: ['proxy'] });
  const headers = { 'ocp-apim-subscription-key': 'mine', cookie: 'a=b' };
  const answer = await ask('/proxy/a/assets/v3/?x=1&x=2', { tcp: true, key: mine, headers });
  expect(answer.status).toBe(200);
  expect(answer.json).toHaveLength(3);
  expect(world.emulator.ledger.count({ endpoint: 'api', status: 200 })).toBe(1);
});

it('takes a body, and every method', async () => {
  const { ask, world } = await start();
  await world.add('a');
  const id = (await ask('/proxy/a/assets/v3/')).json[0].id as string;
  const changed = await ask(`/proxy/a/assets/v3/${id}`, {
    method: 'PATCH',
    body: { name: 'Crane' },
  });
  expect([changed.status, changed.json]).toMatchObject([200, { id, name: 'Crane' }]);
  expect((await ask(`/proxy/a/assets/v3/${id}`)).json.name).toBe('Crane');
});

it('renews a token that the API refuses, and repeats the call', async () => {
  const { ask, world } = await start();
  await world.add('a');
  world.emulator.faults.next('token-rejected');
  expect((await world.during(ask('/proxy/a/assets/v3/'))).status).toBe(200);
  expect(world.requestCount()).toBe(1);
});

it('holds calls back while the API asks to wait', async () => {
  const { ask, world } = await start();
  const { api } = world.overrides();
  const limits = perspio.api?.limits ?? [];
  await world.add('a', { ...(api && { overrides: { api: { ...api, limits } } }) });
  world.emulator.faults.next('rate-limited');
  const [first, second] = [await ask('/proxy/a/assets/v3/'), await ask('/proxy/a/sites/v3/')];
  expect([first.status, second.status]).toEqual([429, 429]);
  expect(second.json.code).toBe('ERR_API_THROTTLED');
  expect(world.emulator.ledger.count({ endpoint: 'api' })).toBe(1);
  await world.pass(90_000);
  expect((await ask('/proxy/a/sites/v3/')).status).toBe(200);
});

it.each([
  ['another connection', { connections: ['b'] }, '/proxy/a/assets/v3/'],
  ['another verb', { verbs: ['token'] }, '/proxy/a/assets/v3/'],
  ['another host', { hosts: ['talk.example'] }, '/proxy/a/assets/v3/'],
  ['another method', { methods: ['POST'] }, '/proxy/a/assets/v3/'],
  ['another path', { paths: ['/sites/*'] }, '/proxy/a/assets/v3/'],
  ['another path, however it is encoded', { paths: ['/sites/*'] }, '/proxy/a/%61ssets/v3/'],
] as const)('makes no call with a key for %s', async (_what, policy, target) => {
  const { ask, key, world, store } = await start({ listen: '127.0.0.1:0' });
  await world.add('a');
  const answer = await ask(target, { tcp: true, key: await key(policy) });
  expect([answer.status, answer.json.code]).toEqual([403, 'ERR_ACCESS_FORBIDDEN']);
  expect(world.emulator.ledger.count({ endpoint: 'api' })).toBe(0);
  await world.pass(1_000);
  const [draw] = await store.access.draws({ limit: 1 });
  expect(draw).toMatchObject({
    verb: 'proxy',
    connection: 'a',
    refusedBecause: expect.any(String),
  });
});

it('files what a key had called before it is called', async () => {
  const { ask, key, world, store } = await start({ listen: '127.0.0.1:0' });
  await world.add('a');
  await ask('/proxy/a/assets/v3/?secret=1', {
    tcp: true,
    key: await key({ paths: ['/assets/*'] }),
  });
  const [draw] = await store.access.draws({ limit: 1 });
  expect(draw?.what).toMatch(/^GET 127\.0\.0\.1:\d+\/assets\/v3\/$/);
  expect(draw?.refusedBecause).toBeUndefined();
});

it.each([
  ['/proxy/b/assets', 404, 'ERR_CONNECTION_UNKNOWN'],
  ['/proxy/a/https://evil.example/', 403, 'ERR_ORIGIN_NOT_ALLOWED'],
  ['/proxy/a/../b', 400, 'ERR_ARGUMENT'],
  ['/proxy/a/%2e%2e/b', 400, 'ERR_ARGUMENT'],
  ['/proxy/a', 404, 'ERR_ARGUMENT'],
])('answers %s with %d %s', async (target, status, code) => {
  const { ask, world } = await start();
  await world.add('a');
  const answer = await ask(target);
  expect([answer.status, answer.json.code]).toEqual([status, code]);
  expect(world.emulator.ledger.count({ endpoint: 'api' })).toBe(0);
});
