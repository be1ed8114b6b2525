import { Findings } from './findings.ts';
import { keptHomeAt, LIFE_MS, startServer } from './servers.ts';

/*
 * Several processes find the claim of the same dead owner at the same moment.
 */

const TAKERS = 4;

/** Kills so many owners, one after the other. */
export async function takeOver(deaths: number): Promise<Findings> {
  const findings = new Findings('deaths', 'takers', 'requests');
  await using server = await startServer();
  const { home: made, grantId } = await keptHomeAt(server, 'reusable');
  await using home = made;
  for (let death = 1; death <= deaths; death++) {
    const where = `death ${String(death)}`;
    await server.clock.advance(LIFE_MS);
    home.aheadMs += LIFE_MS;
    await using owner = await home.spawn({ failpoints: ['after-intent:kill'] });
    await owner.token().catch(() => undefined);
    findings.check((await owner.ended) === 'SIGKILL', 'an owner that was not killed', where);
    const takers = await Promise.all(Array.from({ length: TAKERS }, () => home.spawn()));
    const served = await Promise.all(takers.map((taker) => taker.token({ callers: 10 })));
    const values = new Set(served.flat().map((one) => ('value' in one ? one.value : one.code)));
    findings.check(values.size === 1, 'callers got different tokens', where);
    const [value = ''] = values;
    findings.check(await server.isAccessTokenAlive(value), 'a token that does not work', where);
    await Promise.all(takers.map((taker) => taker.close()));
    findings.count('deaths');
    findings.count('takers', TAKERS);
  }
  const requests = await server.ledger.count({ endpoint: 'token', grantId });
  findings.count('requests', requests);
  const told = `${String(requests)} requests after ${String(deaths)} deaths`;
  findings.check(requests === deaths, 'more than one took over', told);
  return findings;
}
