import { Findings } from './findings.ts';
import { keptHomeAt, LIFE_MS, startServer } from './servers.ts';

/*
 * At a server that lets refresh tokens be used again, the claim of a process that has been stopped for long may be taken. Its answer comes
 * when it goes on: late, but good.
 */

/** Stops a holder after it has sent, lets another process refresh, and wakes the holder. */
export async function answerLate(): Promise<Findings> {
  const findings = new Findings('late answers', 'answers dropped', 'tokens that do not work');
  await using server = await startServer();
  const { home: made, grantId } = await keptHomeAt(server, 'reusable');
  await using home = made;
  await using holder = await home.spawn({ failpoints: ['after-send:stop'] });
  await using other = await home.spawn();
  const refreshed = holder.refresh();
  await holder.stopped();
  await server.ledger.waitFor(1, { endpoint: 'token', grantId, committed: true });
  await other.advance(LIFE_MS);
  await other.token();
  holder.resume();
  await refreshed;
  findings.count('late answers');

  home.aheadMs = LIFE_MS;
  const requests = await server.ledger.count({ endpoint: 'token', grantId });
  const kept = await home.look().catch(String);
  const isKept =
    typeof kept !== 'string' && kept.connection.generation + kept.leftovers.length === 1 + requests;
  const told = typeof kept === 'string' ? kept : JSON.stringify(kept.leftovers);
  findings.check(isKept, 'answers dropped', `${String(requests)} requests, kept ${told}`);
  const served = await home.token().catch(String);
  const works =
    typeof served !== 'string' &&
    'value' in served &&
    (await server.isAccessTokenAlive(served.value));
  findings.check(works, 'tokens that do not work', JSON.stringify(served));
  return findings;
}
