import type { KeptHome } from '../../support/kept-home.ts';
import type { KeeperProcess, Served } from '../../support/keeper-process.ts';
import type { EmulatorProcess } from '../../support/emulator-process.ts';
import { Findings } from './findings.ts';
import { keptHomeAt, LIFE_MS, startServer } from './servers.ts';

/*
 * Many processes with many callers each find the same token expired at the same moment, over and over.
 */

const PROCESSES = 8;
const CALLERS = 50;
/** More than any machine needs for eight processes at once; how long a caller waits is not what is tried here. */
const PATIENCE_MS = 120_000;

/** Lets so many tokens expire. */
export async function herd(expiries: number): Promise<Findings> {
  const findings = new Findings('expiries', 'callers', 'requests');
  await using server = await startServer();
  const { home: made, grantId } = await keptHomeAt(server, 'single-use');
  await using home = made;
  const keepers = await Promise.all(Array.from({ length: PROCESSES }, () => home.spawn()));
  for (let expiry = 1; expiry <= expiries; expiry++) {
    const which = `expiry ${String(expiry)}`;
    const served = await askAll(server, home, keepers);
    findings.count('expiries');
    findings.count('callers', served.length);
    const values = new Set(served.map((one) => ('value' in one ? one.value : one.code)));
    const told = [...values].map((value) => value.slice(0, 24)).join(' ');
    findings.check(values.size === 1, 'callers got different tokens', `${which}: ${told}`);
    const [value = ''] = values;
    findings.check(await server.isAccessTokenAlive(value), 'a token that does not work', which);
  }
  const entries = await server.ledger.entries({ endpoint: 'token', grantId });
  findings.count('requests', entries.length);
  const told = `${String(entries.length)} requests for ${String(expiries)} expiries`;
  findings.check(entries.length === expiries, 'more than one request for an expiry', told);
  for (const { sequence, replay } of entries) {
    findings.check(!replay, 'a refresh token sent twice', `request ${String(sequence)}`);
  }
  await Promise.all(keepers.map((keeper) => keeper.close()));
  return findings;
}

async function askAll(
  server: EmulatorProcess,
  home: KeptHome,
  keepers: readonly KeeperProcess[],
): Promise<readonly Served[]> {
  home.aheadMs += LIFE_MS;
  await server.clock.advance(LIFE_MS);
  await Promise.all(keepers.map((keeper) => keeper.advance(LIFE_MS)));
  const served = await Promise.all(
    keepers.map((keeper) => keeper.token({ callers: CALLERS, timeoutMs: PATIENCE_MS })),
  );
  return served.flat();
}
