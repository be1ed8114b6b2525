import { afterEach, describe, expect, it } from 'vitest';
import type { Rotation } from '../../../src/connection/record.ts';
import { leftoverContext } from '../../../src/connection/secrets.ts';
import type { EmulatorOptions, Fault } from '../../../src/emulator/emulator.ts';
import type { Connection } from '../../../src/keeper-api.ts';
import { HttpConnectError, type Http } from '../../../src/system/http.ts';
import { nodeHttp } from '../../../src/system/node-http.ts';
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
  for (const defence of ['intent', 'heal-again']) setSabotage(defence, false);
});

function noticeKinds({ events }: TestKeeper): string[] {
  return events.flatMap(({ event, detail }) => (event === 'notice' ? [detail.kind] : []));
}

/** A connection whose first refresh, at half of its token's life, lost its answer. */
async function lost(
  world: World,
  rotation: Rotation,
  fault: Fault = 'cut-after-commit',
  graceMs?: number,
): Promise<{ readonly connection: Connection; readonly accessToken: string }> {
  const { connection, grant } = await world.add('a', {
    overrides: { rotation, ...(graceMs !== undefined && { graceMs }) },
  });
  await world.pass(LIFE_MS / 2);
  world.emulator.faults.next(fault);
  await world.during(connection.refresh().catch(() => undefined));
  return { connection, accessToken: grant.accessToken };
}

const strict: EmulatorOptions = { rotation: 'single-use' };

describe.each<[Rotation]>([['single-use'], ['unknown']])(
  'an answer lost at a server of rotation %s',
  (rotation) => {
    it('leaves the connection uncertain, tells its owner once, and serves the token to its true end', async () => {
      const world = await makeWorld(strict);
      const { connection, accessToken } = await lost(world, rotation);
      expect(await connection.status()).toMatchObject({ state: 'uncertain', generation: 1 });
      world.first.keeper.start();
      const until = world.clock.now() + LIFE_MS / 2;
      while (world.clock.now() < until) {
        const served = world.watch(connection.token());
        await world.quiet();
        expect(served.value?.value).toBe(accessToken);
        await world.pass(60_000);
      }
      expect(noticeKinds(world.first).filter((kind) => kind === 'uncertain')).toHaveLength(1);
    });

    it('is followed by one last try, not before the token has truly expired', async () => {
      const world = await makeWorld(strict);
      const { connection } = await lost(world, rotation);
      world.first.keeper.start();
      await world.pass(LIFE_MS / 2 - 1);
      expect(world.requestCount()).toBe(1);
      expect(world.emulator.describe()[0]?.revokedAt).toBeUndefined();
      await world.pass(30_001);
      expect(world.requestCount()).toBe(2);
      // The server had used the token up: its answer is a refusal, and nothing follows.
      expect(await connection.status()).toMatchObject({ state: 'attention', actor: 'owner' });
      await world.pass(86_400_000);
      expect(world.requestCount()).toBe(2);
      expect(noticeKinds(world.first)).toEqual(['uncertain', 'attention']);
    });

    it('heals by the last try where the server had not acted, and says so', async () => {
      const world = await makeWorld(strict);
      const { connection } = await lost(world, rotation, 'cut-before-commit');
      await world.pass(LIFE_MS / 2);
      const token = await connection.token();
      expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
      expect(world.requestCount()).toBe(2);
      expect((await connection.status()).state).toBe('active');
      await world.quiet();
      expect(noticeKinds(world.first)).toEqual(['uncertain', 'recovered']);
      await world.pass(LIFE_MS);
      expect((await connection.token()).generation).toBe(3);
    });
  },
);

describe('the last try of an uncertain connection', () => {
  it('that is lost as well is the end: never more than two requests that may have been sent', async () => {
    const world = await makeWorld(strict);
    const { connection } = await lost(world, 'single-use', 'cut-before-commit');
    world.first.keeper.start();
    world.emulator.faults.always('cut-before-commit');
    await world.pass(86_400_000);
    expect(world.requestCount()).toBe(2);
    expect(await connection.status()).toMatchObject({ state: 'attention', actor: 'owner' });
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_OUTCOME_UNCERTAIN' });
    expect(noticeKinds(world.first)).toEqual(['uncertain', 'attention']);
  });

  it('is left alone by a server that cannot be reached or asks to wait: then it is still there', async () => {
    const world = await makeWorld(strict);
    const { connection } = await lost(world, 'single-use', 'cut-before-commit');
    await world.pass(LIFE_MS / 2);
    world.emulator.faults.next('throttled');
    await expect(connection.token()).rejects.toMatchObject({ name: 'OutcomeUncertainError' });
    expect((await connection.status()).state).toBe('uncertain');
    await world.pass(76_000);
    expect((await connection.token()).generation).toBe(2);
    expect(world.requestCount()).toBe(3);
  });

  it('can be forbidden: then only a person orders it', async () => {
    const world = await makeWorld(strict);
    const careful = await world.restart({ settings: { lastTry: false } });
    const { connection } = await lost(world, 'single-use', 'cut-before-commit');
    careful.keeper.start();
    await world.pass(LIFE_MS * 2);
    await expect(connection.token()).rejects.toMatchObject({ code: 'ERR_OUTCOME_UNCERTAIN' });
    expect(world.requestCount()).toBe(1);
    expect(await connection.status()).toMatchObject({ state: 'uncertain', actor: 'owner' });
    const again = await world.restart({ settings: { lastTry: true } });
    await world.pass(LIFE_MS);
    await expect(again.keeper.connection('a').token()).rejects.toThrow();
    expect(world.requestCount()).toBe(1);
    await again.keeper.connection('a').refresh({ anyway: true });
    expect((await again.keeper.connection('a').status()).state).toBe('active');
  });

  it('is spent early on a token that the API refuses by name', async () => {
    const world = await makeWorld(strict);
    const { connection } = await lost(world, 'single-use', 'cut-before-commit');
    world.emulator.faults.next('token-rejected');
    const response = await world.during(connection.fetch('/assets/v3/'));
    expect(response.status).toBe(200);
    expect(world.requestCount()).toBe(2);
    expect(await connection.status()).toMatchObject({ state: 'active', generation: 2 });
  });

  it('is not spent on a refusal that does not name the token', async () => {
    const world = await makeWorld(strict);
    const { connection } = await lost(world, 'single-use', 'cut-before-commit');
    world.emulator.faults.next({ kind: 'raw', status: 401 }, { endpoint: 'api' });
    const response = await connection.fetch('/assets/v3/');
    expect(response.status).toBe(401);
    expect(world.requestCount()).toBe(1);
    expect((await connection.status()).state).toBe('uncertain');
  });

  it('is refused to a person who does not insist, and made for one who does', async () => {
    const world = await makeWorld(strict);
    const { connection } = await lost(world, 'single-use', 'cut-before-commit');
    await expect(connection.refresh()).rejects.toMatchObject({
      code: 'ERR_OUTCOME_UNCERTAIN',
      message: expect.stringContaining('--anyway') as unknown,
    });
    expect(world.requestCount()).toBe(1);
    expect(await connection.refresh({ anyway: true })).toMatchObject({ state: 'active' });
    expect(world.requestCount()).toBe(2);
  });
});

describe.each<[Rotation]>([['none'], ['reusable']])(
  'an answer lost at a server of rotation %s',
  (rotation) => {
    it.each<[Fault]>([['cut-before-commit'], ['cut-after-commit'], ['half-answer'], ['not-json']])(
      'is asked for again after a while, and nobody is told (%s)',
      async (fault) => {
        const world = await makeWorld({ rotation: rotation === 'none' ? 'none' : 'reusable' });
        const { connection } = await lost(world, rotation, fault);
        expect((await connection.status()).state).toBe('active');
        world.first.keeper.start();
        await world.pass(10_000);
        expect((await connection.status()).generation).toBe(2);
        expect(world.requestCount()).toBe(2);
        expect(noticeKinds(world.first)).toEqual([]);
      },
    );
  },
);

describe('an answer lost at a server with a grace of 60 s', () => {
  const graceMs = 60_000;
  const gracious: EmulatorOptions = { rotation: 'grace', graceMs };

  it('is asked for again at once, by the same caller', async () => {
    const world = await makeWorld(gracious);
    const { connection } = await world.add('a', { overrides: { rotation: 'grace', graceMs } });
    await world.pass(LIFE_MS);
    world.emulator.faults.next('cut-after-commit');
    const token = await connection.token();
    expect(world.emulator.isAccessTokenAlive(token.value)).toBe(true);
    const at = world.requests().map((entry) => entry.at);
    expect(at[1]).toBe(at[0]);
    await world.quiet();
    expect(noticeKinds(world.first)).toEqual([]);
  });

  it('is asked for again at once although the old token lives and nobody asks again', async () => {
    const world = await makeWorld(gracious);
    const { connection } = await world.add('a', { overrides: { rotation: 'grace', graceMs } });
    await world.pass(LIFE_MS - EARLY_MS);
    world.emulator.faults.next('cut-after-commit');
    const token = await connection.token();
    await world.quiet();
    expect(token.generation).toBe(2);
    expect(world.requestCount()).toBe(2);
  });

  it('is asked for within three quarters of the grace, and not after', async () => {
    const world = await makeWorld(gracious);
    const { connection } = await world.add('a', { overrides: { rotation: 'grace', graceMs } });
    world.first.keeper.start();
    await world.pass(LIFE_MS / 2);
    const from = world.clock.now();
    world.emulator.faults.always('cut-after-commit');
    await world.during(connection.refresh({ timeoutMs: 1_000 }).catch(() => undefined));
    await world.pass(LIFE_MS / 4);
    const late = world.requests().filter(({ at }) => at - from >= graceMs * 0.75);
    expect(late).toEqual([]);
    expect(world.requestCount()).toBeGreaterThan(1);
    // Each request of the grace was honoured: the family lives, and so does the token at hand.
    expect(world.emulator.describe()[0]?.revokedAt).toBeUndefined();
    expect((await connection.token()).generation).toBe(1);
  });

  it('and left by a keeper that died is asked for at once by the next, whatever the life of the token', async () => {
    const world = await makeWorld(gracious);
    const { connection } = await world.add('a', { overrides: { rotation: 'grace', graceMs } });
    await world.pass(LIFE_MS / 2);
    await armByTheDead(world, connection);
    await world.pass(30_000);
    const token = await world.first.keeper.connection('a').token();
    await world.quiet();
    expect(token.generation).toBe(1);
    expect(world.requestCount()).toBe(1);
    expect((await connection.status()).generation).toBe(2);
  });

  it('and left by a keeper that died long ago leaves the connection uncertain at the first look', async () => {
    const world = await makeWorld(gracious);
    const { connection, grant } = await world.add('a', {
      overrides: { rotation: 'grace', graceMs },
    });
    await world.pass(LIFE_MS / 2);
    await armByTheDead(world, connection);
    await world.pass(graceMs);
    expect((await connection.token()).value).toBe(grant.accessToken);
    await world.quiet();
    expect(world.requestCount()).toBe(0);
    expect((await connection.status()).state).toBe('uncertain');
    expect(noticeKinds(world.first)).toEqual(['uncertain']);
  });

  it('and over by the time that the connection is made, as on a machine that was suspended, is not used', async () => {
    const world = await makeWorld(gracious);
    const { connection } = await world.add('a', { overrides: { rotation: 'grace', graceMs } });
    await world.pass(LIFE_MS / 2);
    await armByTheDead(world, connection);
    const http = nodeHttp();
    const slow: Http = {
      async connect(url, options) {
        const made = await http.connect(url, options);
        world.clock.setWall(world.clock.now() + graceMs);
        return made;
      },
      close: () => http.close(),
    };
    const other = await world.open({ http: slow });
    const again = other.keeper.connection('a');
    await world.during(again.token());
    await world.quiet();
    expect(world.requestCount()).toBe(0);
    expect((await again.status()).state).toBe('uncertain');
  });

  it.each([
    ['by as much as the grace', graceMs],
    ['by a year', 365 * 86_400_000],
  ])(
    'and over by the time that passed is over, though the clock was set back %s',
    async (_, byMs) => {
      const world = await makeWorld(gracious);
      const { connection } = await world.add('a', { overrides: { rotation: 'grace', graceMs } });
      await world.pass(LIFE_MS / 2);
      await armByTheDead(world, connection);
      await world.pass(graceMs);
      world.clock.setWall(world.clock.now() - byMs);
      await world.restart();
      world.first.keeper.start();
      await world.pass(5_000);
      expect(world.requestCount()).toBe(0);
      expect((await world.first.keeper.connection('a').status()).state).toBe('uncertain');
    },
  );
});

describe('an intent that a dead keeper left', () => {
  it('at a strict server is found by the background: nothing is sent, the owner is told', async () => {
    const world = await makeWorld(strict);
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await armByTheDead(world, connection);
    world.first.keeper.start();
    await world.pass(2_000);
    expect(world.requestCount()).toBe(0);
    expect((await connection.status()).state).toBe('uncertain');
    expect(noticeKinds(world.first)).toEqual(['uncertain']);
    await world.restart();
    world.first.keeper.start();
    await world.pass(1_000);
    expect(noticeKinds(world.first)).toEqual([]);
  });

  it('at a strict server is followed by a replay in a build that looks at no intent', async () => {
    const world = await makeWorld(strict);
    const { connection, grant } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await armByTheDead(world, connection);
    setSabotage('intent', true);
    world.first.keeper.start();
    await world.pass(2_000);
    expect(world.requestCount({ grantId: grant.grantId })).toBe(1);
  });

  it('at a strict server keeps no person who insists from a request, though it is looked after at the same moment', async () => {
    const world = await makeWorld(strict);
    const { connection } = await world.add('a', { overrides: { rotation: 'single-use' } });
    await armByTheDead(world, connection);
    const [token, status] = await Promise.all([
      connection.token(),
      connection.refresh({ anyway: true }),
    ]);
    expect(status).toMatchObject({ state: 'active', generation: 2 });
    expect(token.generation).toBe(1);
    expect(world.requestCount()).toBe(1);
  });

  it('of client credentials, which nothing can use up, is looked after when the token is due', async () => {
    const world = await makeWorld(strict);
    const connection = await world.connect('a', {
      overrides: world.overrides({ rotation: 'single-use' }),
    });
    await armByTheDead(world, connection);
    expect((await connection.token()).generation).toBe(1);
    await world.quiet();
    expect(world.requestCount()).toBe(1);
    await world.pass(LIFE_MS);
    expect((await connection.token()).generation).toBe(2);
  });

  it('at a reusable server is followed by another request', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await armByTheDead(world, connection);
    world.first.keeper.start();
    await world.pass(2_000);
    expect(world.requestCount()).toBe(1);
    expect(await connection.status()).toMatchObject({ state: 'active', generation: 2 });
  });
});

describe('an answer that nobody can read', () => {
  const failing = { kind: 'raw', status: 502, afterCommit: true } as const;

  it.each<[string, Fault]>([
    ['an HTML page', 'not-json'],
    ['half of it', 'half-answer'],
    ['compressed', 'gzip-body'],
    ['without an access token', { kind: 'members', members: { access_token: null } }],
    ['half of it, as a failure', { ...failing, body: '{"access_token":"at","refresh_token":"rt' }],
    ['a page, as a failure', { ...failing, body: '<html>something went wrong</html>' }],
  ])('(%s) is sealed, whole, in quarantine', async (_what, fault) => {
    const world = await makeWorld(strict);
    const { connection } = await lost(world, 'single-use', fault);
    const { id, state } = await connection.status();
    expect(state).toBe('uncertain');
    const [kept] = await world.first.store.leftovers(id);
    expect(kept?.kind).toBe('quarantine');
    if (kept === undefined) throw new TypeError('nothing was kept');
    const plain = world.first.store.sealer.open(kept.sealed, leftoverContext(id, kept));
    expect(plain.length).toBeGreaterThan(20);
    expect(Buffer.from(kept.sealed).includes(Buffer.from(plain))).toBe(false);
  });

  it('is not kept when the server fails and the old refresh token stays good', async () => {
    const world = await makeWorld();
    const { connection } = await lost(world, 'reusable', { ...failing, body: '<html>busy</html>' });
    const { id } = await connection.status();
    expect(await world.first.store.leftovers(id)).toEqual([]);
  });

  it('is an error that names the protocol, once the old token has expired', async () => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    await world.pass(LIFE_MS);
    world.emulator.faults.always('not-json');
    await expect(world.during(connection.token({ timeoutMs: 500 }))).rejects.toMatchObject({
      code: 'ERR_RESPONSE_INVALID',
    });
  });
});

describe('an intent that a dead process left at a server with a grace', () => {
  const graceMs = 60_000;

  /** A server that cannot be reached when a caller comes upon the intent. @returns the connection half a grace later. */
  async function unreachableOnce(): Promise<{
    readonly world: World;
    readonly connection: Connection;
  }> {
    const world = await makeWorld({ rotation: 'grace', graceMs });
    const { connection } = await world.add('a', { overrides: { rotation: 'grace', graceMs } });
    await world.pass(LIFE_MS / 2);
    await armByTheDead(world, connection);
    const http = nodeHttp();
    let lines = 0;
    const other = await world.open({
      http: {
        async connect(url, options) {
          lines++;
          if (lines === 1) throw new HttpConnectError('dns');
          return http.connect(url, options);
        },
        close: () => http.close(),
      },
    });
    const again = other.keeper.connection('a');
    await world.during(again.token());
    await world.pass(graceMs / 2);
    return { world, connection: again };
  }

  it('is tried again after a server that could not be reached, without anything in the background', async () => {
    const { world, connection } = await unreachableOnce();
    expect(await connection.status()).toMatchObject({ state: 'active', generation: 2 });
    expect(world.requestCount()).toBe(1);
  });

  it('is not, in a build that looks after it once', async () => {
    setSabotage('heal-again', true);
    const { world, connection } = await unreachableOnce();
    expect((await connection.status()).generation).toBe(1);
    expect(world.requestCount()).toBe(0);
  });
});

/** Leaves claim and intent as a keeper that was killed between its request and the answer. */
async function armByTheDead(world: World, connection: Connection): Promise<void> {
  const { id } = await connection.status();
  const now = world.clock.now();
  const other = await world.open();
  const { store } = other;
  const alive = await store.claims.identify();
  const owner = { ...alive, ownerId: 'dead', bootId: alive.bootId, machineId: 'another' };
  await store.transition(
    id,
    ({ connection: { grantId, generation } }) => ({
      result: true,
      connection: {
        claim: { owner, attemptId: 'lost', claimedAt: now },
        intent: {
          attemptId: 'lost',
          grantId,
          generation,
          firstAt: now,
          firstUptimeMs: world.clock.uptimeMs(),
          bootId: alive.bootId,
          count: 1,
        },
      },
    }),
    { durable: true },
  );
  await world.close(other);
  // What others wrote is seen within a second.
  await world.pass(1_000);
}
