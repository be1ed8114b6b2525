import type { EmulatorProcess } from '../../support/emulator-process.ts';
import type { KeptHome } from '../../support/kept-home.ts';
import { Findings } from './findings.ts';
import { keptHomeAt, LIFE_MS, startServer } from './servers.ts';

/*
 * Processes whose clocks are minutes and days apart share a connection. What one takes for expired another takes for fresh; still no
 * refresh token may be sent twice, and whoever's clock is right gets a token that works.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** How far the clock of each process is ahead of the server's. */
const SKEWS_MS = [0, 10 * MINUTE_MS, -10 * MINUTE_MS, DAY_MS, -DAY_MS];
const CALLERS = 10;

/** Lets so many tokens expire by the server's clock. */
export async function disagree(expiries: number): Promise<Findings> {
  const findings = new Findings(
    'expiries',
    'requests',
    'tokens that had expired, by a wrong clock',
    'tokens that had expired, by the right clock',
    'a refresh token sent twice',
  );
  await using server = await startServer();
  const { home: made, grantId } = await keptHomeAt(server, 'single-use');
  await using home = made;
  // No clock here can go below the machine's.
  home.aheadMs += 2 * DAY_MS;
  await server.clock.advance(2 * DAY_MS);
  for (let expiry = 1; expiry <= expiries; expiry++) {
    await askAll(server, home, findings, `expiry ${String(expiry)}`);
    findings.count('expiries');
  }
  const entries = await server.ledger.entries({ endpoint: 'token', grantId });
  findings.count('requests', entries.length);
  for (const { sequence, replay } of entries) {
    findings.check(!replay, 'a refresh token sent twice', `request ${String(sequence)}`);
  }
  return findings;
}

async function askAll(
  server: EmulatorProcess,
  home: KeptHome,
  findings: Findings,
  which: string,
): Promise<void> {
  home.aheadMs += LIFE_MS;
  await server.clock.advance(LIFE_MS);
  const keepers = await Promise.all(SKEWS_MS.map((skewMs) => home.spawn({ skewMs })));
  const answers = await Promise.all(keepers.map((keeper) => keeper.token({ callers: CALLERS })));
  for (const [i, served] of answers.entries()) {
    const values = new Set(served.map((one) => ('value' in one ? one.value : one.code)));
    const alive = await Promise.all([...values].map((value) => server.isAccessTokenAlive(value)));
    if (SKEWS_MS[i] === 0) {
      const promise = 'tokens that had expired, by the right clock';
      findings.check(alive.every(Boolean), promise, `${which}, ${[...values].join(' ')}`);
    } else {
      const dead = alive.filter((isAlive) => !isAlive).length;
      findings.count('tokens that had expired, by a wrong clock', dead);
    }
  }
  await Promise.all(keepers.map((keeper) => keeper.close()));
}
