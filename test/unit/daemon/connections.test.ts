import { describe, expect, it } from 'vitest';
import { daemonFixture, type TestDaemon } from '../../support/daemon-fixture.ts';
import { LIFE_MS } from '../../support/keeper-under-test.ts';

const start = daemonFixture();

async function withConnections(...names: string[]): Promise<TestDaemon> {
  const test = await start();
  for (const name of names) await test.world.add(name);
  return test;
}

const post = { method: 'POST', body: {} } as const;

describe('looking', () => {
  it('lists connections page by page, none twice and none left out', async () => {
    const names = Array.from({ length: 7 }, (_, i) => `connection-${i}`);
    const { ask } = await withConnections(...names);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { json } = await ask(`/v1/connections?limit=3${cursor}`);
      seen.push(...json.connections.map(({ name }: { name: string }) => name));
      cursor = json.next === null ? '' : `&cursor=${json.next}`;
    } while (cursor !== '');
    expect(seen).toEqual(names);
  });

  it.each(['0', '1001', '-1', '1.5', 'all'])('refuses %s as a number of rows', async (limit) => {
    const { ask } = await withConnections();
    const { status, json } = await ask(`/v1/connections?limit=${limit}`);
    expect(status).toBe(400);
    expect(json.detail).toBe('the query is wrong: limit must be a whole number from 1 to 1000');
  });

  it('lists by state, provider and a part of the name', async () => {
    const { ask, world } = await withConnections('alpha', 'beta');
    await world.first.keeper.connection('beta').pause();
    const listed = async (query: string): Promise<unknown> =>
      (await ask(`/v1/connections?${query}`)).json.connections.map(
        ({ name }: { name: string }) => name,
      );
    expect(await listed('state=paused')).toEqual(['beta']);
    expect(await listed('search=ALP')).toEqual(['alpha']);
    expect(await listed('provider=perspio')).toEqual([]);
    expect(await listed('provider=generic')).toEqual(['alpha', 'beta']);
  });

  it('tells where one stands, its history, and why', async () => {
    const { ask } = await withConnections('alpha');
    expect((await ask('/v1/connections/alpha')).json).toMatchObject({
      name: 'alpha',
      state: 'active',
      actor: null,
    });
    expect((await ask('/v1/connections/alpha/history')).json.events).toMatchObject([
      { event: 'connected' },
    ]);
    expect((await ask('/v1/connections/alpha/explanation')).json).toMatchObject({
      cause: 'It works.',
      confidence: 'certain',
    });
  });

  it('says in a problem that there is no such connection', async () => {
    const { ask } = await start();
    const answer = await ask('/v1/connections/gamma');
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json).toMatchObject({
      type: 'urn:evergrant:ERR_CONNECTION_UNKNOWN',
      status: 404,
      code: 'ERR_CONNECTION_UNKNOWN',
      kind: 'NotFoundError',
      connection: 'gamma',
    });
  });
});

describe('tokens', () => {
  it('are served as they are held', async () => {
    const { ask, world } = await start();
    const { grant } = await world.add('alpha');
    const { json, headers } = await ask('/v1/connections/alpha/token');
    expect(json).toMatchObject({ accessToken: grant.accessToken, expiresAt: grant.expiresAt });
    expect(headers['cache-control']).toBe('no-store');
  });

  it('live as long as asked for, at the price of one refresh for all who ask', async () => {
    const { ask, world } = await withConnections('alpha');
    await world.pass(LIFE_MS / 2);
    const asked = Array.from({ length: 5 }, () => ask('/v1/connections/alpha/token?minLife=50m'));
    for (const { json } of await Promise.all(asked)) {
      expect(json.expiresAt - world.clock.now()).toBeGreaterThanOrEqual(3_000_000);
    }
    expect(world.requestCount()).toBe(1);
  });

  it.each([
    ['minLife=5', 'minLife must be a duration'],
    ['minlife=5m', 'minlife is unknown'],
    ['minLife=5m&minLife=6m', 'something twice'],
  ])('%s is refused with 400 and its reason', async (query, reason) => {
    const { ask, world } = await withConnections('alpha');
    const { status, json } = await ask(`/v1/connections/alpha/token?${query}`);
    expect(status).toBe(400);
    expect(json.detail).toContain(reason);
    expect(world.requestCount()).toBe(0);
  });

  it('a demand that no token meets is refused, once it is known how long they live', async () => {
    const { ask, world } = await withConnections('alpha');
    await ask('/v1/connections/alpha/refresh', { method: 'POST' });
    const { status, json } = await ask('/v1/connections/alpha/token?minLife=9d');
    expect(status).toBe(400);
    expect(json.detail).toContain('demand less');
    expect(world.requestCount()).toBe(1);
  });

  it('that cannot be had are told with who must act', async () => {
    const { ask, world } = await start();
    await world.add('alpha', { withoutAccessToken: true });
    world.emulator.revokeUser('demo@perspio.io');
    const { status, json } = await ask('/v1/connections/alpha/token');
    expect(status).toBe(409);
    expect(json).toMatchObject({ code: 'ERR_GRANT_REFUSED', kind: 'AuthorizationRequiredError' });
  });

  it('that must be waited for say until when', async () => {
    const { ask, world } = await start();
    await world.add('alpha', { withoutAccessToken: true });
    world.emulator.faults.next({ kind: 'throttled', retryAfter: 40 });
    const { status, json, headers } = await ask('/v1/connections/alpha/token');
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(39);
    expect(json.retryAt).toBeGreaterThan(world.clock.now());
  });
});

describe('doing', () => {
  it('refreshes, pauses, resumes and renames', async () => {
    const { ask } = await withConnections('alpha');
    const done = async (action: string, body: object = {}): Promise<unknown> =>
      (await ask(`/v1/connections/alpha/${action}`, { ...post, body })).json.connection;
    expect(await done('refresh')).toMatchObject({ generation: 2 });
    expect(await done('pause')).toMatchObject({ state: 'paused' });
    expect(await done('resume')).toMatchObject({ state: 'active' });
    expect(await done('rename', { name: 'omega' })).toMatchObject({ name: 'omega' });
    expect((await ask('/v1/connections/alpha')).status).toBe(404);
  });

  it('disconnects', async () => {
    const { ask } = await withConnections('alpha');
    expect((await ask('/v1/connections/alpha/disconnect', post)).json.message).toContain('removed');
    expect((await ask('/v1/connections/alpha')).status).toBe(404);
  });

  it('imports a refresh token, and refuses a name in use', async () => {
    const { ask, world } = await start();
    const { refreshToken } = await world.emulator.issueGrant({ clientId: 'perspio-demo' });
    const body = {
      name: 'imported',
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
      overrides: world.overrides(),
      tokens: { refreshToken },
    };
    const first = await ask('/v1/connections', { method: 'POST', body });
    expect(first.json.connection).toMatchObject({ name: 'imported', beginning: 'import' });
    expect((await ask('/v1/connections/imported/token')).status).toBe(200);
    const second = await ask('/v1/connections', { method: 'POST', body });
    expect([second.status, second.json.code]).toEqual([409, 'ERR_CONNECTION_EXISTS']);
  });

  it('connects as the client itself, and renews that grant', async () => {
    const { ask, world } = await start();
    const body = {
      name: 'machine',
      grant: 'client-credentials',
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
      scope: 'api://perspiotalk/.default',
      overrides: world.overrides(),
    };
    const first = await ask('/v1/connections', { method: 'POST', body });
    expect(first.json.connection).toMatchObject({ beginning: 'client_credentials' });
    const again = await ask('/v1/connections/machine/reconnect', post);
    expect(again.json.connection.grantId).not.toBe(first.json.connection.grantId);
  });

  it('renews all that is due, and tells what failed', async () => {
    const { ask, world } = await start();
    await world.add('alpha', { withoutAccessToken: true });
    world.emulator.revokeUser('demo@perspio.io');
    await world.add('beta', { withoutAccessToken: true });
    const { json } = await ask('/v1/refresh-due', post);
    const renewed = json.renewed as { connection: string; problem: { code: string } | null }[];
    expect(
      renewed.map(({ connection, problem }) => [connection, problem?.code ?? 'done']).sort(),
    ).toEqual([
      ['alpha', 'ERR_GRANT_REFUSED'],
      ['beta', 'done'],
    ]);
  });

  it('lists registrations, replaces a secret and forgets one that is unused', async () => {
    const { ask } = await withConnections('alpha');
    const { json } = await ask('/v1/clients');
    expect(json.clients).toMatchObject([{ clientId: 'perspio-demo', hasSecret: true }]);
    const body = { secret: 'demo~secret+1', expiresAt: 1 };
    const put = await ask('/v1/clients/perspio-demo/secret', { method: 'PUT', body });
    expect(put.json).toEqual({ connections: 1 });
    const inUse = await ask('/v1/clients/perspio-demo', { method: 'DELETE' });
    expect([inUse.status, inUse.json.code]).toEqual([400, 'ERR_ARGUMENT']);
    await ask('/v1/connections/alpha/disconnect', post);
    expect((await ask('/v1/clients/perspio-demo', { method: 'DELETE' })).status).toBe(200);
  });

  it.each([
    ['/v1/connections/alpha/refresh', { anyhow: true }, 'the body is wrong: anyhow is unknown'],
    ['/v1/connections/alpha/rename', {}, 'the body is wrong: name is missing'],
    ['/v1/connections/alpha/rename', [], 'the body is wrong: must be object, not array'],
    ['/v1/connections', { name: 'x', provider: 'generic' }, 'client is missing'],
    [
      '/v1/connections',
      { name: 'x', provider: 'generic', client: { clientId: 'c' } },
      'tokens is missing, or grant must be "client-credentials"',
    ],
    [
      '/v1/connect-links',
      { name: 'x', provider: 'generic', client: { clientId: '' } },
      'the body is wrong: client.clientId must not be empty',
    ],
    [
      '/v1/connect-links',
      { name: 'x', provider: 'generic', client: { clientId: 'c' }, life: '30s' },
      'the body is wrong: life must be from 1m to 7d',
    ],
    ['/v1/connect-links', { name: 'x', live: '2h' }, 'the body is wrong: live is unknown'],
  ])('%s with %j is refused with 400 and its reason', async (target, body, reason) => {
    const { ask } = await withConnections('alpha');
    const { status, json } = await ask(target, { method: 'POST', body });
    expect(status).toBe(400);
    expect(json.detail).toContain(reason);
  });

  it('repeats no secret of a body that it refuses', async () => {
    const { ask } = await start();
    const body = {
      name: 'x',
      client: { clientSecret: 'hush-hush', clientId: 7 },
      tokens: 'hush-hush',
    };
    const { status, text } = await ask('/v1/connections', { method: 'POST', body });
    expect(status).toBe(400);
    expect(text).not.toContain('hush');
  });
});
