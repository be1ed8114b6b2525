import { afterEach, describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../../../src/emulator/emulator.ts';
import type { Connection } from '../../../src/keeper-api.ts';
import type { Rotation } from '../../../src/connection/record.ts';
import { setSabotage } from '../../support/failpoints.ts';
import {
  EARLY_MS,
  LIFE_MS,
  worldFixture,
  type TestKeeper,
  type World,
} from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture();

afterEach(() => {
  for (const defence of ['terminal-stop', 'pilot']) setSabotage(defence, false);
});

function notices({ events }: TestKeeper): string[] {
  return events.flatMap(({ event, detail }) => (event === 'notice' ? [detail.kind] : []));
}

/** Lets time pass in steps, asking for a token at each; resolves to the codes of the errors. */
async function ask(world: World, name: string, times: number, everyMs: number): Promise<unknown[]> {
  const codes: unknown[] = [];
  for (let i = 0; i < times; i++) {
    await world.pass(everyMs);
    const asked = world.watch(world.first.keeper.connection(name).token({ timeoutMs: 1_000 }));
    await world.during(asked.promise.catch(() => undefined));
    codes.push((asked.error as { code?: unknown } | undefined)?.code);
  }
  return codes;
}

describe('a grant that the server refuses', () => {
  async function refused(world: World, rotation: Rotation = 'single-use'): Promise<string> {
    const { connection, grant } = await world.add('a', { overrides: { rotation } });
    await world.clock.advance(LIFE_MS);
    world.emulator.revokeUser('demo@perspio.io');
    await expect(connection.token()).rejects.toMatchObject({
      name: 'AuthorizationRequiredError',
      code: 'ERR_GRANT_REFUSED',
    });
    return grant.refreshToken ?? '';
  }

  it('is asked for once: 10,000 reads, a day in the background and a restart send nothing', async () => {
    const world = await makeWorld();
    await refused(world);
    world.first.keeper.start();
    const codes = new Set<unknown>();
    for (let i = 0; i < 10_000; i++) {
      await world.first.keeper
        .connection('a')
        .token()
        .catch((error: unknown) => codes.add((error as { code: unknown }).code));
    }
    expect(codes).toEqual(new Set(['ERR_GRANT_REFUSED']));
    await world.pass(86_400_000);
    expect(notices(world.first)).toEqual(['attention']);
    const again = await world.restart();
    again.keeper.start();
    await again.keeper.refreshDue();
    expect(await ask(world, 'a', 24, 3_600_000)).toEqual(
      Array.from({ length: 24 }, () => 'ERR_GRANT_REFUSED'),
    );
    expect(world.requestCount()).toBe(1);
    expect(notices(again)).toEqual([]);
  });

  it('is asked for again and again by a build without that stop', async () => {
    const world = await makeWorld();
    setSabotage('terminal-stop', true);
    await expect(refused(world, 'reusable')).rejects.toThrow();
    await ask(world, 'a', 5, 3_600_000);
    expect(world.requestCount()).toBeGreaterThan(1);
  });

  it('keeps its refresh token sealed in the store, and tells its owner within a second', async () => {
    const world = await makeWorld();
    const refreshToken = await refused(world);
    await world.pass(1_000);
    expect(notices(world.first)).toEqual(['attention']);
    const status = await world.first.keeper.connection('a').status();
    expect(status).toMatchObject({ state: 'attention', actor: 'owner', hasRefreshToken: true });
    expect(status.nextRefreshAt).toBeUndefined();
    const view = await world.first.store.read(status.id);
    const sealed = view?.connection.tokens?.refreshToken ?? new Uint8Array();
    expect(Buffer.from(sealed).includes(refreshToken)).toBe(false);
    const plain = world.first.store.sealer.open(sealed, {
      record: status.id,
      field: 'refreshToken',
      generation: status.generation,
    });
    expect(Buffer.from(plain).toString()).toBe(refreshToken);
  });

  it('is tried once more when a person resumes it, and stops again', async () => {
    const world = await makeWorld();
    await refused(world);
    await world.first.keeper.connection('a').resume();
    expect(await ask(world, 'a', 3, 1_000)).toEqual(
      Array.from({ length: 3 }, () => 'ERR_GRANT_REFUSED'),
    );
    expect(world.requestCount()).toBe(2);
  });

  it('works again after a new import, which keeps id and history', async () => {
    const world = await makeWorld();
    await refused(world);
    const before = await world.first.keeper.connection('a').status();
    await world.pass(1_000);
    await world.add('a', { overrides: { rotation: 'single-use' }, replace: true });
    const after = await world.first.keeper.connection('a').status();
    expect(after).toMatchObject({ id: before.id, state: 'active' });
    expect(after.grantId).not.toBe(before.grantId);
    await world.clock.advance(LIFE_MS);
    const token = await world.first.keeper.connection('a').token();
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    const { life } = await world.first.keeper.connection('a').explain();
    expect(life.map(({ event }) => event)).toEqual([
      'refreshed',
      'reconnected',
      'attention',
      'connected',
    ]);
  });
});

describe('a client that the server refuses', () => {
  async function twoHundred(world: World): Promise<void> {
    for (let i = 0; i < 200; i++) {
      await world.add(`c${String(i)}`, { withoutAccessToken: true });
    }
    world.emulator.expireClientSecret('perspio-demo');
  }

  it('is asked for once by each process for 200 connections, none of which is condemned', async () => {
    const world = await makeWorld();
    await twoHundred(world);
    const { keeper } = world.first;
    const outcomes = await world.during(
      Promise.allSettled(
        Array.from({ length: 200 }, (_, i) => keeper.connection(`c${String(i)}`).token()),
      ),
    );
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(
      new Set(outcomes.map((one) => (one.status === 'rejected' ? one.reason : one))),
    ).toSatisfy((errors: Set<unknown>) =>
      [...errors].every((error) => (error as { code: unknown }).code === 'ERR_CLIENT_REFUSED'),
    );
    keeper.start();
    await world.pass(3_600_000);
    expect(world.requestCount()).toBe(1);
    const states = new Set((await keeper.list()).map(({ state }) => state));
    expect(states).toEqual(new Set(['active']));
    expect(notices(world.first)).toEqual(['client_refused']);
  });

  it('is asked for once by a keeper that finds all of them due', async () => {
    const world = await makeWorld();
    await twoHundred(world);
    world.first.keeper.start();
    await world.pass(3_600_000);
    expect(world.requestCount()).toBe(1);
    expect(notices(world.first)).toEqual(['client_refused']);
  });

  it('is asked for many times in a build that sends no request ahead', async () => {
    const world = await makeWorld();
    setSabotage('pilot', true);
    await twoHundred(world);
    world.first.keeper.start();
    await world.pass(60_000);
    expect(world.requestCount()).toBeGreaterThan(1);
  });

  it('resumes all of them when its secret is replaced', async () => {
    const world = await makeWorld();
    await twoHundred(world);
    const { keeper } = world.first;
    keeper.start();
    await world.pass(60_000);
    expect(await keeper.clients()).toMatchObject([{ clientId: 'perspio-demo', connections: 200 }]);
    expect((await keeper.clients())[0]?.refusedAt).toBeDefined();
    const secret = world.emulator.resetClientSecret('perspio-demo');
    expect(await keeper.setClientSecret('perspio-demo', secret)).toBe(200);
    await world.pass(60_000);
    const fresh = (await keeper.list()).filter(({ freshness }) => freshness === 'fresh');
    expect(fresh).toHaveLength(200);
    expect(world.requestCount({ outcome: 'issued' })).toBe(200);
  });

  it('whose secret is replaced while an answer is under way is not refused for the old one', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.clock.advance(LIFE_MS);
    world.emulator.expireClientSecret('perspio-demo');
    world.emulator.faults.next('hold-after-commit');
    const waiting = world.watch(connection.token());
    await world.emulator.ledger.waitFor(1, { held: true });
    const secret = world.emulator.resetClientSecret('perspio-demo');
    await world.first.keeper.setClientSecret('perspio-demo', secret);
    world.emulator.faults.release();
    await world.during(waiting.promise.catch(() => undefined));
    expect((await world.first.keeper.clients())[0]?.refusedAt).toBeUndefined();
    const token = await world.during(connection.token());
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
  });

  it('is asked once when a person insists, also after an answer was lost', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { overrides: { rotation: 'reusable' } });
    world.emulator.faults.next('cut-after-commit');
    const lost = world.watch(connection.refresh());
    await world.during(lost.promise.catch(() => undefined));
    expect(lost.state).toBe('rejected');
    await world.pass(60_000);
    const before = world.requestCount();
    world.emulator.expireClientSecret('perspio-demo');
    const insisting = world.watch(connection.refresh({ anyway: true }));
    await world.during(insisting.promise.catch(() => undefined));
    expect(insisting.error).toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    expect(world.requestCount()).toBe(before + 1);
  });

  it('that works when a person insists is refused no longer', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    world.emulator.faults.next(7000215);
    await expect(connection.refresh()).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    await expect(connection.refresh()).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    expect(world.requestCount()).toBe(1);
    await connection.refresh({ anyway: true });
    expect((await world.first.keeper.clients())[0]?.refusedAt).toBeUndefined();
    await world.clock.advance(LIFE_MS);
    expect((await connection.token()).generation).toBe(3);
  });

  it('whose secret the server has just accepted at a new consent is refused no longer', async () => {
    const world = await makeWorld();
    const connection = await world.connect('a');
    await world.connect('b');
    world.emulator.faults.next(7000215);
    await expect(connection.refresh()).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    await world.first.keeper.reconnect('a');
    expect((await world.first.keeper.clients())[0]?.refusedAt).toBeUndefined();
    await world.clock.advance(LIFE_MS);
    expect((await connection.token()).generation).toBe(3);
    expect((await world.first.keeper.connection('b').token()).generation).toBe(2);
  });

  it('is refused no longer by a new consent either where the clock was set back since it was', async () => {
    const world = await makeWorld();
    const connection = await world.connect('a');
    world.emulator.faults.next(7000215);
    await expect(connection.refresh()).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    world.first.skewMs = -86_400_000;
    await world.first.keeper.reconnect('a');
    expect((await world.first.keeper.clients())[0]?.refusedAt).toBeUndefined();
  });

  it('stays refused where a new consent is refused as well', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    world.emulator.faults.next(7000215);
    await expect(connection.refresh()).rejects.toMatchObject({ code: 'ERR_CLIENT_REFUSED' });
    world.emulator.faults.always(7000215);
    await expect(
      world.first.keeper.reconnect('a', { grant: 'client-credentials' }),
    ).rejects.toThrow();
    expect((await world.first.keeper.clients())[0]?.refusedAt).toBeDefined();
  });
});

describe('a request that the server refuses', () => {
  it('stops the connection for the operator, whose refresh token stays untouched', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.always({ kind: 'aadsts', code: 70011, error: 'invalid_scope' });
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_REQUEST_REFUSED' });
    await ask(world, 'a', 5, 3_600_000);
    expect(world.requestCount()).toBe(1);
    expect(await connection.status()).toMatchObject({ state: 'attention', actor: 'operator' });
    expect(world.emulator.isRefreshTokenHonoured(grant.refreshToken ?? '')).toBe(true);
    world.emulator.faults.clear();
    await connection.resume();
    expect((await connection.token()).generation).toBe(2);
  });

  it.each([['empty-400'], ['html-403']] as const)(
    'without a name (%s) is repeated twice, 60 s apart, then left to the operator',
    async (fault) => {
      const world = await makeWorld();
      const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
      world.first.keeper.start();
      world.emulator.faults.always(fault);
      await world.clock.advance(LIFE_MS);
      await ask(world, 'a', 600, 1_000);
      await world.pass(86_400_000);
      const at = world.requests().map((entry) => entry.at);
      expect(at).toHaveLength(3);
      expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(60_000);
      expect((at[2] ?? 0) - (at[1] ?? 0)).toBeGreaterThanOrEqual(60_000);
      expect(notices(world.first)).toEqual(['attention']);
      expect(await connection.status()).toMatchObject({ state: 'attention', actor: 'operator' });
      expect((await connection.status()).hasRefreshToken).toBe(true);
    },
  );

  it('without a name is forgotten once a request works', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { withoutAccessToken: true });
    for (let round = 0; round < 5; round++) {
      world.emulator.faults.next('empty-400', { times: 2 });
      await ask(world, 'a', 4, 61_000);
      await world.clock.advance(LIFE_MS);
    }
    expect((await connection.status()).state).toBe('active');
  });
});

describe('what Entra answers', () => {
  const perspio = { provider: 'perspio', overrides: { rotation: 'reusable' } } as const;

  it('50196 is a throttle although it is called invalid_grant', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a', perspio);
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next(50196);
    await expect(world.during(connection.token())).rejects.toMatchObject({
      code: 'ERR_SERVER_THROTTLED',
    });
    expect(await connection.status()).toMatchObject({ state: 'active', hasRefreshToken: true });
    await world.pass(76_000);
    expect((await connection.token()).generation).toBe(2);
    expect(notices(world.first)).toEqual([]);
  });

  /** A connection by device code whose person consented to one scope, while the provider's refreshes ask for another. */
  async function consentedToLess(world: World): Promise<Connection> {
    return world.during(
      world.first.keeper.connect('a', {
        provider: 'perspio',
        client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
        overrides: {
          ...world.overrides(),
          deviceAuthorizationEndpoint: world.emulator.deviceAuthorizationEndpoint,
        },
        grant: 'device',
        prompt: {
          authorize: () => undefined,
          confirmSubject: () => Promise.resolve(true),
          deviceCode: ({ userCode }) => {
            world.emulator.decideDevice(userCode, { user: 'demo@perspio.io' });
          },
        },
      }),
    );
  }

  const withoutConsentForAll: EmulatorOptions = {
    clients: [
      {
        clientId: 'perspio-demo',
        clientSecret: 'demo~secret+1',
        preconsented: ['api://perspiotalk/access_as_user'],
      },
    ],
  };

  it('65001 for the documented scope is followed by a request for the granted one, which is remembered', async () => {
    const world = await makeWorld(withoutConsentForAll);
    const connection = await consentedToLess(world);
    world.emulator.ledger.clear();
    await world.pass(LIFE_MS);
    expect((await connection.token()).generation).toBe(2);
    const [documented, granted] = world.requests();
    expect(documented).toMatchObject({ aadsts: 65001 });
    expect(documented?.scope).toContain('all_readwrite');
    expect(granted).toMatchObject({ outcome: 'issued' });
    expect(granted?.scope).not.toContain('all_readwrite');
    await world.pass(LIFE_MS);
    await world.restart();
    expect((await world.first.keeper.connection('a').token()).generation).toBe(3);
    expect(world.requestCount()).toBe(3);
    expect(notices(world.first)).toEqual([]);
  });

  it('65001 for the granted scope as well is left to whoever can consent', async () => {
    const world = await makeWorld(withoutConsentForAll);
    const connection = await consentedToLess(world);
    world.emulator.withdrawConsent('demo@perspio.io', 'perspio-demo');
    world.emulator.ledger.clear();
    await world.pass(LIFE_MS);
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_GRANT_REFUSED' });
    expect(world.requestCount()).toBe(2);
  });

  it('65001, and then a failing server, condemns nothing', async () => {
    const world = await makeWorld(withoutConsentForAll);
    const connection = await consentedToLess(world);
    await world.pass(LIFE_MS);
    world.emulator.faults.next(65001);
    world.emulator.faults.next({ kind: 'server-error', status: 500 });
    await connection.token({ timeoutMs: 100 }).catch(() => undefined);
    await world.quiet();
    expect((await connection.status()).state).toBe('active');
    expect((await world.during(connection.token())).generation).toBe(2);
  });
});

describe('an access token of a type nobody knows', () => {
  it('is not served; the refresh token that came with it is kept', async () => {
    const world = await makeWorld({ rotation: 'single-use' });
    const { connection, grant } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await world.clock.advance(LIFE_MS);
    world.emulator.faults.next({ kind: 'token-type', value: 'mac' });
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_TOKEN_TYPE_UNSUPPORTED' });
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_TOKEN_TYPE_UNSUPPORTED' });
    expect(world.requestCount()).toBe(1);
    expect(await connection.status()).toMatchObject({
      state: 'attention',
      actor: 'operator',
      generation: 2,
      freshness: 'expired',
      hasRefreshToken: true,
    });
    await world.quiet();
    expect(notices(world.first)).toEqual(['attention']);
    expect(world.emulator.isRefreshTokenHonoured(grant.refreshToken ?? '')).toBe(false);
    await connection.resume();
    expect((await connection.token()).generation).toBe(3);
    expect(world.requestCount({ replay: true })).toBe(0);
  });

  it.each(['mac', null])(
    '(%s) leaves the old one in service as long as it lives',
    async (value) => {
      const world = await makeWorld({ rotation: 'single-use' });
      const { connection, grant } = await world.add('a', { overrides: { rotation: 'single-use' } });
      const before = await connection.status();
      await world.pass(LIFE_MS - EARLY_MS + 1);
      world.emulator.faults.next({ kind: 'members', members: { token_type: value } });
      expect((await world.during(connection.token())).value).toBe(grant.accessToken);
      const status = await connection.status();
      expect(status).toMatchObject({ state: 'attention', generation: 2, hasRefreshToken: true });
      expect(status.accessExpiresAt).toBe(before.accessExpiresAt);
      const other = await world.open();
      expect((await other.keeper.connection('a').token()).value).toBe(grant.accessToken);
      await world.pass(EARLY_MS);
      await expect(connection.token()).rejects.toMatchObject({
        code: 'ERR_TOKEN_TYPE_UNSUPPORTED',
      });
      expect(world.requestCount()).toBe(1);
      await connection.resume();
      expect((await connection.token()).generation).toBe(3);
      expect(world.requestCount({ replay: true })).toBe(0);
    },
  );

  it('is what a refresh by hand, and one of all that is due, fail with', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    world.emulator.faults.always({ kind: 'token-type', value: 'mac' });
    await expect(connection.refresh()).rejects.toMatchObject({
      code: 'ERR_TOKEN_TYPE_UNSUPPORTED',
    });
    await connection.resume();
    await world.pass(LIFE_MS - EARLY_MS + 1);
    expect(await world.first.keeper.refreshDue()).toMatchObject([
      { connection: 'a', error: { code: 'ERR_TOKEN_TYPE_UNSUPPORTED' } },
    ]);
  });

  it.each(['bearer', 'BEARER', 'Bearer'])('%s is known', async (value) => {
    const world = await makeWorld();
    const { connection } = await world.add('a', { withoutAccessToken: true });
    world.emulator.faults.next({ kind: 'token-type', value });
    expect((await connection.token()).authorization).toMatch(/^Bearer /);
  });
});

describe('an answer without a refresh token', () => {
  it.each(['no-refresh-token', 'empty-refresh-token'] as const)(
    'keeps the one at hand (%s)',
    async (fault) => {
      const world = await makeWorld({ rotation: 'none' });
      const { connection } = await world.add('a', { overrides: { rotation: 'none' } });
      world.emulator.faults.always(fault);
      for (let generation = 2; generation < 5; generation++) {
        await world.clock.advance(LIFE_MS);
        expect((await connection.token()).generation).toBe(generation);
      }
      expect((await connection.status()).hasRefreshToken).toBe(true);
      const presented = world.requests().map((entry) => entry.presentedFingerprint);
      expect(new Set(presented).size).toBe(1);
    },
  );
});
