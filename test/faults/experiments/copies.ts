import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { KeptHome } from '../../support/kept-home.ts';
import { Findings, type Size } from './findings.ts';
import { keptHomeAt, LIFE_MS, startServer } from './servers.ts';

/*
 * A store that was restored or copied holds a refresh token that was used up since. To send it would revoke the grant.
 */

/** Keeps something of a home as it is now. @returns puts it back in place of what came after. */
type Copy = (home: KeptHome) => Promise<() => Promise<void>>;

/** How a store may come to be old again. */
export const COPIES = {
  'a backup': async (home) => {
    const copy = path.join(home.path, 'backup.db');
    await home.visit((_, { store }) => store.backup(copy));
    return () => putBack(copy, home);
  },
  'a copy of the file': async (home) => {
    const copy = path.join(home.path, 'copy.db');
    await cp(storeOf(home), copy);
    return () => putBack(copy, home);
  },
  'a copy of the home': async (home) => {
    const copy = `${home.path}-copy`;
    await cp(home.path, copy, { recursive: true, preserveTimestamps: true });
    return async () => {
      await rm(home.path, { recursive: true });
      await cp(copy, home.path, { recursive: true, preserveTimestamps: true });
    };
  },
} as const satisfies Readonly<Record<string, Copy>>;

/** Brings an old store back so many times in each way. */
export async function bringBack({ trials }: Size): Promise<Findings> {
  const findings = new Findings('copies', 'used-up refresh tokens sent', 'nobody was told');
  await using server = await startServer();
  for (let trial = 1; trial <= trials; trial++) {
    for (const [name, copy] of Object.entries<Copy>(COPIES)) {
      const which = `${name}, trial ${String(trial)}`;
      const { home: made, grantId } = await keptHomeAt(server, 'single-use');
      await using home = made;
      const bringItBack = await copy(home);
      home.aheadMs += LIFE_MS;
      await home.token();
      await bringItBack();
      home.aheadMs += LIFE_MS;
      const served = await home.token();
      findings.count('copies');
      const requests = await server.ledger.count({ endpoint: 'token', grantId });
      findings.check(requests === 1, 'used-up refresh tokens sent', which);
      const { connection, notices } = await home.look();
      const isTold =
        'code' in served &&
        served.code === 'ERR_OUTCOME_UNCERTAIN' &&
        connection.state.kind === 'uncertain' &&
        notices.join(' ') === 'store_copied';
      findings.check(isTold, 'nobody was told', `${which}, ${JSON.stringify(served)}`);
    }
  }
  return findings;
}

function storeOf(home: KeptHome): string {
  return path.join(home.path, 'store', 'evergrant.db');
}

/** Into the same file, as who restores a backup by hand does. */
async function putBack(copy: string, home: KeptHome): Promise<void> {
  await writeFile(storeOf(home), await readFile(copy));
}
