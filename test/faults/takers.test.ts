import { expect, it } from 'vitest';
import { keptHomeAt, LIFE_MS, startServer } from './experiments/servers.ts';

it('of 4 processes that find the same dead owner, one takes its claim and makes one request', async () => {
  await using server = await startServer();
  const { home: made, grantId } = await keptHomeAt(server, 'reusable');
  await using home = made;
  await server.clock.advance(LIFE_MS);
  home.aheadMs = LIFE_MS;
  const owner = await home.spawn({ failpoints: ['after-intent:kill'] });
  await owner.token().catch(() => undefined);
  expect(await owner.ended).toBe('SIGKILL');
  expect(await server.ledger.count({ endpoint: 'token', grantId })).toBe(0);

  const takers = await Promise.all(Array.from({ length: 4 }, () => home.spawn()));
  const served = await Promise.all(takers.map((taker) => taker.token({ callers: 10 })));
  const values = served.flat().map((one) => ('value' in one ? one.value : one.code));
  expect(new Set(values).size).toBe(1);
  expect(await server.isAccessTokenAlive(values[0] ?? '')).toBe(true);
  expect(await server.ledger.count({ endpoint: 'token', grantId })).toBe(1);
  await Promise.all(takers.map((taker) => taker.close()));
}, 60_000);
