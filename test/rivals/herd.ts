import { setTimeout as delay } from 'node:timers/promises';
import { Findings } from '../faults/experiments/findings.ts';
import type { EmulatorProcessOptions } from '../support/emulator-process.ts';
import { EARLY_MS, type Rival } from './contender.ts';
import { makeRivalHome, startStrictServer } from './rivals.ts';

/*
 * The herd that evergrant is put through, with a rival: eight processes with fifty callers each find the same token expired, over and over.
 * The tokens live a little longer than the margin at which MSAL replaces them, so that they are due again soon; time is real here.
 */

/** What is counted. */
export const HERD_FIGURES = [
  'expiries',
  'requests',
  'requests beyond one an expiry',
  'used-up refresh tokens sent',
  'grants revoked',
  'callers without a token',
] as const;

const PROCESSES = 8;
const CALLERS = 50;
/** How long a new token is not due. */
const REST_MS = 3_000;

/**
 * Lets so many tokens expire. After each the connection is as new, since a revoked grant would end the comparison.
 *
 * @param delays - of the server; by default it answers at once.
 */
export async function herdOfRivals(
  rival: Rival,
  expiries: number,
  delays: EmulatorProcessOptions = {},
): Promise<Findings> {
  const findings = new Findings(...HERD_FIGURES);
  const accessLifeSeconds = (EARLY_MS + REST_MS) / 1000;
  await using server = await startStrictServer({ accessLifeSeconds, ...delays });
  await using home = await makeRivalHome(server, rival);
  for (let expiry = 1; expiry <= expiries; expiry++) {
    const grantId = await home.signIn();
    const before = await server.ledger.count({ endpoint: 'token', grantId });
    const processes = await Promise.all(Array.from({ length: PROCESSES }, () => home.spawn()));
    await delay(REST_MS);
    const answers = await Promise.all(processes.map((each) => each.token({ callers: CALLERS })));
    await Promise.all(processes.map((each) => each.kill()));
    const entries = (await server.ledger.entries({ endpoint: 'token', grantId })).slice(before);
    findings.count('expiries');
    findings.count('requests', entries.length);
    findings.count('requests beyond one an expiry', Math.max(0, entries.length - 1));
    findings.count('used-up refresh tokens sent', entries.filter(({ replay }) => replay).length);
    findings.count('grants revoked', entries.some(({ replay }) => replay) ? 1 : 0);
    findings.count('callers without a token', answers.flat().filter((one) => 'code' in one).length);
  }
  return findings;
}
