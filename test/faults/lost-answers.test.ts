import { expect, test } from 'vitest';
import { keptHomeAt, LIFE_MS, startServer } from './experiments/servers.ts';

test.each([
  ['a cut', 'cut-after-commit', 1_000],
  [
    'a server error that names a wait',
    { kind: 'server-error', afterCommit: true, retryAfter: 120 },
    120_000,
  ],
] as const)(
  'an expired connection keeps its one last try for later when %s loses an answer',
  async (_name, fault, leastWaitMs) => {
    await using server = await startServer();
    const { home: made, grantId } = await keptHomeAt(server, 'single-use');
    await using home = made;
    home.aheadMs = LIFE_MS;
    await server.faults.next(fault);

    const first = await home.token();
    expect(first).toMatchObject({ code: 'ERR_OUTCOME_UNCERTAIN' });
    const { connection } = await home.look();
    expect(connection.state.kind).toBe('uncertain');
    const { lastError, backoff } = connection;
    expect(backoff.notBefore - (lastError?.at ?? 0)).toBeGreaterThanOrEqual(leastWaitMs);

    await home.token({ timeoutMs: 0 });
    expect(await server.ledger.count({ endpoint: 'token', grantId })).toBe(1);
  },
);
