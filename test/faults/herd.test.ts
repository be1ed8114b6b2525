import { expect, it } from 'vitest';
import { keptHomeAt, LIFE_MS, startServer } from './experiments/servers.ts';

const PROCESSES = 8;
const CALLERS = 50;
const EXPIRIES = 30;

it('8 processes with 50 callers each make one request for each of 30 expiries', async () => {
  await using server = await startServer();
  const { home: made, grantId } = await keptHomeAt(server, 'single-use');
  await using home = made;
  const keepers = await Promise.all(Array.from({ length: PROCESSES }, () => home.spawn()));
  for (let expiry = 1; expiry <= EXPIRIES; expiry++) {
    await server.clock.advance(LIFE_MS);
    home.aheadMs += LIFE_MS;
    await Promise.all(keepers.map((keeper) => keeper.advance(LIFE_MS)));
    const served = await Promise.all(keepers.map((keeper) => keeper.token({ callers: CALLERS })));
    const values = served.flat().map((one) => ('value' in one ? one.value : one.code));
    expect(values).toHaveLength(PROCESSES * CALLERS);
    expect(new Set(values).size).toBe(1);
    expect(await server.isAccessTokenAlive(values[0] ?? '')).toBe(true);
    expect(await server.ledger.count({ endpoint: 'token', grantId })).toBe(expiry);
  }
  const entries = await server.ledger.entries({ endpoint: 'token', grantId });
  expect(entries.filter(({ replay }) => replay)).toEqual([]);
  await Promise.all(keepers.map((keeper) => keeper.close()));
}, 120_000);
