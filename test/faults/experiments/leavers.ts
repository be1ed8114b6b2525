import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import { sleep, systemClock } from '../../../src/system/clock.ts';
import { drawDelays } from './authority.ts';
import { Findings, type Size } from './findings.ts';
import { keptHomeAt, startServer } from './servers.ts';

/*
 * Callers give up at random instants of the refresh that they ordered. The refresh goes on without them.
 */

/** Lets so many callers leave, all of one keeper. */
export async function leave({ trials, seed }: Size): Promise<Findings> {
  const findings = new Findings('callers', 'left early', 'requests');
  const random = seededRandom(seed);
  await using server = await startServer(drawDelays(random));
  const { home: made, grantId } = await keptHomeAt(server, 'single-use');
  await using home = made;
  await home.visit(async (connection) => {
    for (let caller = 0; caller < trials; caller++) {
      const controller = new AbortController();
      const order = connection.refresh({ signal: controller.signal });
      const left = order.then(
        () => 0,
        () => 1,
      );
      await sleep(systemClock, random.fraction() * 40);
      controller.abort(new Error('the caller left'));
      findings.count('callers');
      findings.count('left early', await left);
    }
  });
  const requests = await server.ledger.count({ endpoint: 'token', grantId });
  findings.count('requests', requests);
  const { connection, refreshToken } = await home.look();
  const told = `EVERGRANT_SEED=${String(seed)}, ${String(requests)} requests, generation ${String(connection.generation)}`;
  findings.check(connection.generation === 1 + requests, 'answers dropped', told);
  const isCurrent = await server.isRefreshTokenHonoured(refreshToken);
  findings.check(isCurrent, 'refresh tokens lost', told);
  return findings;
}
