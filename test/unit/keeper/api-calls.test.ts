import { describe, expect, it } from 'vitest';
import { LIFE_MS, worldFixture, type World } from '../../support/keeper-under-test.ts';

const makeWorld = worldFixture({ apiLimits: { rate: 100_000 } });
const PATH = '/assets/v3/';

function warnings({ first }: World): string[] {
  return first.events.flatMap(({ event, detail }) => (event === 'warning' ? [detail.message] : []));
}

/** So many calls at once; resolves to the statuses of their answers. */
async function callAtOnce(world: World, count: number): Promise<number[]> {
  const { keeper } = world.first;
  const responses = await world.during(
    Promise.all(Array.from({ length: count }, () => keeper.connection('a').fetch(PATH))),
  );
  return responses.map(({ status }) => status);
}

describe('a hundred calls whose token the API refuses', () => {
  it('force one refresh, are repeated and answered', async () => {
    const world = await makeWorld();
    await world.add('a');
    for (let round = 1; round <= 5; round++) {
      const { value } = await world.first.keeper.connection('a').token();
      // The clock of the API runs ahead: it takes all tokens so far for expired.
      world.emulator.clock.advance(LIFE_MS);
      expect(new Set(await callAtOnce(world, 100))).toEqual(new Set([200]));
      expect(world.requestCount()).toBe(round);
      expect((await world.first.keeper.connection('a').token()).value).not.toBe(value);
    }
    expect(world.emulator.ledger.count({ endpoint: 'api', status: 401 })).toBe(500);
    expect(warnings(world)).toEqual([]);
  });

  it('stop at the second generation that is refused, and say that the token is not the reason', async () => {
    const world = await makeWorld();
    await world.add('a');
    world.emulator.faults.always('token-rejected');
    for (let round = 0; round < 20; round++) {
      expect(new Set(await callAtOnce(world, 10))).toEqual(new Set([401]));
    }
    expect(world.requestCount()).toBe(1);
    expect(warnings(world)[0]).toContain('refuses freshly issued tokens');
    world.emulator.faults.clear();
    await world.pass(LIFE_MS);
    expect(await callAtOnce(world, 10)).toEqual(Array.from({ length: 10 }, () => 200));
  });

  it('of two keepers force one refresh together', async () => {
    const world = await makeWorld();
    await world.add('a');
    const other = await world.open();
    await other.keeper.connection('a').token();
    world.emulator.clock.advance(LIFE_MS);
    const calls = [world.first, other].flatMap(({ keeper }) =>
      Array.from({ length: 10 }, () => keeper.connection('a').fetch(PATH)),
    );
    const responses = await world.during(Promise.all(calls), 5);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(world.requestCount()).toBe(1);
  });

  it('get the refusal back when the server is down, and force no storm', async () => {
    const world = await makeWorld();
    await world.add('a');
    world.emulator.faults.always('token-rejected');
    world.emulator.faults.always({ kind: 'server-error', status: 500 });
    expect(new Set(await callAtOnce(world, 100))).toEqual(new Set([401]));
    expect(world.requestCount()).toBeLessThanOrEqual(6);
  });
});

describe('a token that another process has renewed', () => {
  it('is used at once after a refusal, without a refresh', async () => {
    const world = await makeWorld();
    const { connection, grant } = await world.add('a');
    await connection.token();
    const other = await world.open();
    world.emulator.clock.advance(1_000);
    await other.keeper.connection('a').refresh();
    // The API takes the first one for expired.
    world.emulator.clock.advance(grant.expiresAt - world.emulator.clock.now());
    expect((await world.during(connection.fetch(PATH), 10)).status).toBe(200);
    expect(world.requestCount()).toBe(1);
    expect((await connection.token()).value).not.toBe(grant.accessToken);
  });
});

describe('what is no refusal of the token', () => {
  it.each([
    ['a refused subscription key', 'api-key-invalid', 401],
    ['a quota that is used up', 'quota-exceeded', 403],
    ['a rate limit', 'rate-limited', 429],
  ] as const)('(%s) forces no refresh', async (_what, fault, status) => {
    const world = await makeWorld();
    const { connection } = await world.add('a');
    world.emulator.faults.next(fault);
    expect((await connection.fetch(PATH)).status).toBe(status);
    expect(world.requestCount()).toBe(0);
    expect(warnings(world)).toHaveLength(1);
  });
});
