import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import { drawDelays } from './authority.ts';
import { Findings, type Size } from './findings.ts';
import { keptHomeAt, startServer } from './servers.ts';

/*
 * A service that refreshes is asked to end, by SIGTERM and by SIGINT, at a random instant. It closes its keeper, which waits for the answer
 * that is under way, and ends by itself.
 */

/** A request is waited for this long when a keeper closes; two seconds more are granted. */
const PATIENCE_MS = 32_000;
const LONGEST_LOOP_MS = 100;

/** Sends so many signals. */
export async function signal({ trials, seed }: Size): Promise<Findings> {
  const findings = new Findings('signals', 'requests', 'not ended in time', 'answers dropped');
  const random = seededRandom(seed);
  await using server = await startServer(drawDelays(random));
  for (let trial = 1; trial <= trials; trial++) {
    const name = trial % 2 === 0 ? 'SIGTERM' : 'SIGINT';
    const { home: made, grantId } = await keptHomeAt(server, 'single-use');
    await using home = made;
    await using service = await home.spawn();
    service.refresh(Number.MAX_SAFE_INTEGER).catch(() => undefined);
    await server.ledger.waitFor(1, { endpoint: 'token', grantId });
    await delay(random.fraction() * LONGEST_LOOP_MS);
    process.kill(service.pid, name);
    const timeUp = new AbortController();
    const how = await Promise.race([
      service.ended,
      delay(PATIENCE_MS, 'not at all', { signal: timeUp.signal }),
    ]);
    timeUp.abort();
    const which = `EVERGRANT_SEED=${String(seed)}, ${name} ${String(trial)}`;
    findings.count('signals');
    findings.check(how === 0, 'not ended in time', `${which}, ended by ${String(how)}`);
    const requests = await server.ledger.count({ endpoint: 'token', grantId });
    findings.count('requests', requests);
    const { connection, refreshToken } = await home.look();
    const isKept =
      connection.generation === 1 + requests && (await server.isRefreshTokenHonoured(refreshToken));
    const told = `${which}, ${String(requests)} requests, generation ${String(connection.generation)}`;
    findings.check(isKept, 'answers dropped', told);
  }
  return findings;
}
