import { describe, expect, it } from 'vitest';
import { keptHomeAt, LIFE_MS, startServer } from './experiments/servers.ts';

/*
 * A process that is stopped while it holds the claim is alive: nobody takes its claim, however long it stands. When it goes on, its answer
 * counts.
 */

const POINTS = ['after-lock', 'after-connect', 'after-intent', 'after-send', 'full-answer'];

describe.each(POINTS)('a holder stopped at %s', (point) => {
  it('blocks nobody while the access token lives, sends once, and its answer is not dropped', async () => {
    await using server = await startServer();
    const { home: made, grantId } = await keptHomeAt(server, 'single-use');
    await using home = made;
    const requests = (): Promise<number> => server.ledger.count({ endpoint: 'token', grantId });
    const first = await home.spawn({ failpoints: [`${point}:stop`] });
    const second = await home.spawn();
    const refreshed = first.refresh();
    await first.stopped();

    const [living] = await second.token({ callers: 20, timeoutMs: 0 });
    expect(living).toHaveProperty('value');

    await Promise.all([server.clock.advance(LIFE_MS), second.advance(LIFE_MS)]);
    const [blocked] = await second.token({ timeoutMs: 700 });
    expect(blocked).toMatchObject({ code: 'ERR_REFRESH_BLOCKED' });
    expect(await requests()).toBeLessThanOrEqual(1);

    const waiting = second.token({ callers: 20 });
    first.resume();
    await refreshed;
    const served = await waiting;
    expect(await requests()).toBeLessThanOrEqual(2);
    const entries = await server.ledger.entries({ endpoint: 'token', grantId });
    expect(entries.filter(({ replay }) => replay)).toEqual([]);
    for (const one of served) expect(one).toHaveProperty('value');
    // Each answer that the server gave became a generation: none was dropped.
    const { connection, refreshToken } = await home.look();
    expect(connection.generation).toBe(1 + (await requests()));
    expect(await server.isRefreshTokenHonoured(refreshToken)).toBe(true);
    await Promise.all([first.close(), second.close()]);
  }, 60_000);
});
