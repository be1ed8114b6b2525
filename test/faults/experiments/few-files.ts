import { Findings, type Size } from './findings.ts';
import { keptHomeAt, startServer } from './servers.ts';

/*
 * A process may open fewer and fewer files. Where it finds that it cannot go on it must say so before it sends, and lose nothing.
 */

/** Node itself needs about twenty. */
const LEAST_FILES = 18;
const MOST_FILES = 48;

/** Tries each limit so many times. @param step - from one limit to the next. */
export async function openFewFiles({ trials }: Size, step = 2): Promise<Findings> {
  const findings = new Findings(
    'limits tried',
    'programs that could not start',
    'requests',
    'answers dropped',
    'not well again without the limit',
  );
  await using server = await startServer();
  for (let trial = 1; trial <= trials; trial++) {
    for (let limit = LEAST_FILES; limit <= MOST_FILES; limit += step) {
      const which = `at most ${String(limit)} files, trial ${String(trial)}`;
      const { home: made, grantId } = await keptHomeAt(server, 'single-use');
      await using home = made;
      const under = ['sh', '-c', `ulimit -n ${String(limit)}; exec "$@"`, 'sh'];
      findings.count('limits tried');
      try {
        await using victim = await home.spawn({ under, isQuiet: true });
        await victim.refresh();
        await victim.close();
      } catch {
        findings.count('programs that could not start');
      }
      const requests = await server.ledger.count({ endpoint: 'token', grantId });
      findings.count('requests', requests);
      const { connection, refreshToken } = await home.look();
      const isKept =
        connection.generation === 1 + requests &&
        (await server.isRefreshTokenHonoured(refreshToken));
      findings.check(isKept, 'answers dropped', which);
      await home.visit((kept) => kept.refresh()).catch(() => undefined);
      const after = (await home.look()).connection.generation;
      findings.check(after === 2 + requests, 'not well again without the limit', which);
    }
  }
  return findings;
}
