import { describe, expect, it, vi } from 'vitest';
import { daemonFixture, type Ask, type TestDaemon } from '../../support/daemon-fixture.ts';
import { Audit } from '../../../src/daemon/access/audit.ts';
import { ANYONE } from '../../../src/daemon/access/caller.ts';
import { silentLog } from '../../../src/system/log.ts';
import type { Draw } from '../../../src/store/access-store.ts';

const start = daemonFixture();
const TCP = { listen: '127.0.0.1:0' } as const;

async function withTwo(): Promise<TestDaemon> {
  const test = await start(TCP);
  await test.world.add('alpha');
  await test.world.add('beta');
  return test;
}

async function draws({ store, world }: TestDaemon): Promise<readonly Draw[]> {
  await world.pass(1_000);
  return store.access.draws({ limit: 100 });
}

describe('a caller by TCP', () => {
  it('needs a key, but for its health', async () => {
    const { ask } = await withTwo();
    const answer = await ask('/v1/connections/alpha/token', { tcp: true });
    expect([answer.status, answer.json.code]).toEqual([401, 'ERR_ACCESS_REFUSED']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
    expect((await ask('/v1/openapi.json', { tcp: true })).status).toBe(401);
    expect((await ask('/healthz', { tcp: true })).json).toEqual({ status: 'alive' });
    expect((await ask('/readyz', { tcp: true })).json).toEqual({ status: 'ready' });
  });

  it('gets with a key what the key is good for', async () => {
    const { ask, key } = await withTwo();
    const secret = await key({ connections: ['alpha'], verbs: ['token'] });
    const status = async (target: string): Promise<number> =>
      (await ask(target, { tcp: true, key: secret })).status;
    expect(await status('/v1/connections/alpha/token')).toBe(200);
    expect(await status('/v1/connections/beta/token')).toBe(403);
    expect(await status('/v1/connections/gamma/token')).toBe(403);
    expect(await status('/v1/connections/alpha')).toBe(403);
    expect(await status('/v1/connections')).toBe(403);
    expect(await status('/v1/clients')).toBe(403);
  });

  it.each([
    ['evk_0123456789abcdef_', 'short'],
    [`evk_0123456789abcdef_${'A'.repeat(43)}`, 'unknown'],
    [`evk_0123456789ABCDEF_${'A'.repeat(43)}`, 'not of our form'],
    ['', 'empty'],
  ])('is refused with the key %j: %s', async (key) => {
    const { ask } = await withTwo();
    expect((await ask('/v1/connections/alpha/token', { tcp: true, key })).status).toBe(401);
  });

  it('is refused when one character of a good key is another', async () => {
    const { ask, key } = await withTwo();
    const good = await key({});
    const other = good.endsWith('A') ? 'B' : 'A';
    const wrong = `${good.slice(0, 30)}${good[30] === 'A' ? 'B' : 'A'}${good.slice(31)}`;
    for (const bad of [wrong, `${good}${other}`, good.slice(0, -1)]) {
      expect((await ask('/v1/connections', { tcp: true, key: bad })).status).toBe(401);
    }
    expect((await ask('/v1/connections', { tcp: true, key: good })).status).toBe(200);
  });

  it('is refused once the key has expired or is revoked, from one request to the next', async () => {
    const { ask, key, store, world } = await withTwo();
    const brief = await key({}, { expiresAt: world.clock.now() + 1_000 });
    const revoked = await key({}, { name: 'leaver' });
    const status = async (secret: string): Promise<number> =>
      (await ask('/v1/connections', { tcp: true, key: secret })).status;
    expect([await status(brief), await status(revoked)]).toEqual([200, 200]);
    await world.pass(1_000);
    await store.access.revokeKeys('leaver', world.clock.now());
    expect([await status(brief), await status(revoked)]).toEqual([401, 401]);
  });

  it('is slowed down to the rate of its key', async () => {
    const { ask, key, world } = await withTwo();
    const secret = await key({ rate: { requests: 2, perMs: 60_000 } });
    const ask1 = (): ReturnType<typeof ask> => ask('/v1/connections', { tcp: true, key: secret });
    expect([(await ask1()).status, (await ask1()).status]).toEqual([200, 200]);
    const refused = await ask1();
    expect([refused.status, refused.json.code]).toEqual([429, 'ERR_RATE_EXCEEDED']);
    expect(refused.headers['retry-after']).toBe('30');
    await world.pass(30_000);
    expect([(await ask1()).status, (await ask1()).status]).toEqual([200, 429]);
  });
});

describe('a key for some connections', () => {
  it('sees these alone in the list', async () => {
    const { ask, key } = await withTwo();
    const secret = await key({ connections: ['b*'] });
    const { json } = await ask('/v1/connections', { tcp: true, key: secret });
    expect(json.connections.map(({ name }: { name: string }) => name)).toEqual(['beta']);
  });

  it.each<[string, string, Ask]>([
    ['rename one', '/v1/connections/alpha/rename', { method: 'POST', body: { name: 'alpha-2' } }],
    ['see registrations', '/v1/clients', {}],
    [
      'replace a secret',
      '/v1/clients/perspio-demo/secret',
      { method: 'PUT', body: { secret: 's' } },
    ],
    ['forget a registration', '/v1/clients/perspio-demo', { method: 'DELETE' }],
    ['ask for all that is due', '/v1/refresh-due', { method: 'POST', body: {} }],
    [
      'ask for other scopes',
      '/v1/connections/alpha/reconnect',
      { method: 'POST', body: { scope: 'everything' } },
    ],
    [
      'begin one of another name',
      '/v1/connections',
      {
        method: 'POST',
        body: {
          name: 'gamma',
          provider: 'generic',
          client: { clientId: 'c' },
          tokens: { refreshToken: 'r' },
        },
      },
    ],
    [
      'take over one by a registration of its own',
      '/v1/connections',
      {
        method: 'POST',
        body: {
          name: 'alpha',
          provider: 'generic',
          client: { clientId: 'c' },
          overrides: { tokenEndpoint: 'https://evil.example/token' },
          tokens: { refreshToken: 'r' },
          replace: true,
        },
      },
    ],
    [
      'take over one by another registration',
      '/v1/connections',
      {
        method: 'POST',
        body: {
          name: 'alpha',
          provider: 'perspio',
          client: { clientId: 'mine' },
          tokens: { refreshToken: 'r' },
          replace: true,
        },
      },
    ],
    [
      'ask for other scopes by naming the registration again',
      '/v1/connect-links',
      {
        method: 'POST',
        body: {
          name: 'alpha',
          provider: 'perspio',
          client: { clientId: 'perspio-demo' },
          scope: 'api://x/admin',
          reconnect: true,
        },
      },
    ],
    [
      'have another account taken',
      '/v1/connect-links',
      { method: 'POST', body: { name: 'alpha', anyAccount: true } },
    ],
    [
      'give a registration a secret',
      '/v1/connections',
      {
        method: 'POST',
        body: {
          name: 'alpha-3',
          provider: 'perspio',
          client: { clientId: 'perspio-demo', clientSecret: 'mine' },
          tokens: { refreshToken: 'r' },
        },
      },
    ],
  ])('cannot %s', async (_, target, asked) => {
    const { ask, key, store } = await withTwo();
    const secret = await key({ connections: ['alpha*'] });
    const before = [await store.list(), await store.clients()];
    expect((await ask(target, { ...asked, tcp: true, key: secret })).status).toBe(403);
    expect([await store.list(), await store.clients()]).toEqual(before);
  });
});

describe('the owner', () => {
  it('needs no key on the socket; with one, the key counts', async () => {
    const { ask, key } = await withTwo();
    expect((await ask('/v1/connections/alpha/token')).status).toBe(200);
    const secret = await key({ connections: ['beta'] });
    expect((await ask('/v1/connections/alpha/token', { key: secret })).status).toBe(403);
    expect((await ask('/v1/connections/alpha/token', { key: 'no key' })).status).toBe(401);
  });
});

describe('the audit', () => {
  it('has every draw: who, what, and why it was refused', async () => {
    const test = await withTwo();
    const { ask, key } = test;
    const secret = await key({ connections: ['alpha'], verbs: ['token'] }, { name: 'reporting' });
    await ask('/v1/connections/alpha/token');
    await ask('/v1/connections/alpha/token', { tcp: true, key: secret });
    await ask('/v1/connections/beta/token', { tcp: true, key: secret });
    await ask('/v1/connections/beta/token', { tcp: true });
    await ask('/v1/connections/alpha/pause', { method: 'POST', body: {} });
    await ask('/v1/connections');
    const rows = (await draws(test)).map((draw) => [
      draw.caller,
      draw.connection,
      draw.what,
      draw.refusedBecause,
    ]);
    expect(rows).toHaveLength(5);
    expect(rows).toEqual(
      expect.arrayContaining([
        ['owner', 'alpha', 'token', undefined],
        ['reporting', 'alpha', 'token', undefined],
        ['reporting', 'beta', 'token', 'this key is not good for that connection'],
        ['unknown', undefined, 'enter', 'a key is needed; evergrant key-for makes one'],
        ['owner', 'alpha', 'pause', undefined],
      ]),
    );
  });

  it('names the connection that a body names, and tells what was refused for it', async () => {
    const test = await withTwo();
    const key = await test.key({ connections: ['alpha'], verbs: ['manage'] }, { name: 'narrow' });
    const post = { method: 'POST', tcp: true, key } as const;
    await test.ask('/v1/connect-links', { ...post, body: { name: 'beta' } });
    const scoped = { name: 'alpha', scope: 'other' };
    await test.ask('/v1/connect-links', { ...post, body: scoped });
    await test.ask('/v1/connections/alpha/reconnect', { ...post, body: { scope: 'other' } });
    const tokens = { refreshToken: 'rt' };
    const body = { name: 'gamma', provider: 'perspio', client: { clientId: 'c' }, tokens };
    await test.ask('/v1/connections', { ...post, body });
    await test.ask('/v1/connect-links', { ...post, body: { name: 'alpha' } });
    const rows = (await draws(test)).map((draw) => [
      draw.caller,
      draw.connection,
      draw.what,
      draw.refusedBecause,
    ]);
    const other =
      'another registration, scope or account takes a key that is good for all connections';
    expect(rows).toHaveLength(5);
    expect(rows).toEqual(
      expect.arrayContaining([
        ['narrow', 'beta', 'connectLink', 'this key is not good for that connection'],
        ['narrow', 'alpha', 'connectLink', other],
        ['narrow', 'alpha', 'reconnect', other],
        ['narrow', 'gamma', 'begin', 'this key is not good for that connection'],
        ['narrow', 'alpha', 'connectLink', undefined],
      ]),
    );
  });

  it('keeps the beginning of what is long', async () => {
    const test = await withTwo();
    const secret = await test.key({ connections: ['alpha'] });
    const name = 'c'.repeat(5_000);
    await test.ask(`/v1/connections/${name}/token`, { tcp: true, key: secret });
    expect((await draws(test))[0]?.connection).toBe('c'.repeat(500));
  });

  it('has what a key draws before it is served', async () => {
    const { ask, key, store } = await withTwo();
    const secret = await key({});
    await ask('/v1/connections/alpha/token', { tcp: true, key: secret });
    expect(await store.access.draws({ limit: 9 })).toHaveLength(1);
  });

  it('cannot be filled by callers without a good key, nor made to write by what is refused', async () => {
    const test = await withTwo();
    const dead = await test.key({}, { name: 'leaver' });
    await test.store.access.revokeKeys('leaver', test.world.clock.now());
    const secret = await test.key({ connections: ['alpha'] }, { name: 'reporting' });
    const write = vi.spyOn(test.store.access, 'addDraws');
    for (let i = 0; i < 50; i++) {
      const target = `/v1/connections/c${String(i)}/${i % 2 === 0 ? 'token' : 'history'}`;
      await test.ask(target, { tcp: true });
      await test.ask(target, { tcp: true, key: dead });
      await test.ask('/v1/connections/beta/token', { tcp: true, key: secret });
    }
    expect(write).not.toHaveBeenCalled();
    const rows = await draws(test);
    expect(rows.map(({ caller, count }) => [caller, count]).toSorted()).toEqual([
      ['leaver', 50],
      ['reporting', 50],
      ['unknown', 50],
    ]);
  });

  it('has what a key draws, however many refusals wait', async () => {
    const { store, world } = await withTwo();
    const audit = new Audit(store.access, world.clock, silentLog);
    const caller = { ...ANYONE, name: 'reporting' };
    const file = (what: string, refusedBecause: string | undefined): Promise<void> =>
      audit.record({ caller, connection: undefined, verb: 'read', what, refusedBecause });
    for (let i = 0; i <= 5_000; i++) await file(`refused ${String(i)}`, 'no');
    await file('granted', undefined);
    expect(await store.access.draws({ limit: 1 })).toMatchObject([{ what: 'granted' }]);
    expect(audit.lost).toBe(1);
  });

  it('has them also when the store could not be written meanwhile', async () => {
    const { store, world } = await withTwo();
    const audit = new Audit(store.access, world.clock, silentLog);
    const caller = { ...ANYONE, name: 'reporting' };
    const file = (what: string, refusedBecause: string | undefined): Promise<void> =>
      audit.record({ caller, connection: undefined, verb: 'read', what, refusedBecause });
    const full = vi.spyOn(store.access, 'addDraws').mockRejectedValue(new Error('disk full'));
    for (let i = 0; i < 5_000; i++) await file(`refused ${String(i)}`, 'no');
    for (let i = 0; i < 20; i++) await file(`granted ${String(i)}`, undefined);
    for (let i = 0; i < 5_000; i++) await file(`refused too ${String(i)}`, 'no');
    full.mockRestore();
    await audit.flush();
    const rows = await store.access.draws({ limit: 10_000 });
    expect(rows.filter(({ refusedBecause }) => refusedBecause === undefined)).toHaveLength(20);
    expect(audit.lost).toBe(5_000);
  });

  it('counts draws that are alike in one row', async () => {
    const test = await withTwo();
    for (let i = 0; i < 7; i++) await test.ask('/v1/connections/alpha/token');
    const rows = await draws(test);
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(7);
    expect(rows.length).toBeLessThan(7);
  });

  it('keeps nothing of a key that is no good', async () => {
    const test = await withTwo();
    await test.ask('/v1/connections', { tcp: true, key: 'evk_hush' });
    expect(JSON.stringify(await draws(test))).not.toContain('hush');
    expect(test.log.join('\n')).not.toContain('hush');
  });

  it('withholds no token that lives when it cannot be written, and is written later', async () => {
    const test = await withTwo();
    const { ask, key, store } = test;
    const secret = await key({});
    const write = store.access.addDraws.bind(store.access);
    store.access.addDraws = () => Promise.reject(new Error('disk full'));
    for (let i = 0; i < 2; i++) {
      const answer = await ask('/v1/connections/alpha/token', { tcp: true, key: secret });
      expect(answer.status).toBe(200);
    }
    store.access.addDraws = write;
    await ask('/v1/connections/alpha/token', { tcp: true, key: secret });
    const rows = await draws(test);
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(test.log.join('\n')).toContain('disk full');
  });
});
