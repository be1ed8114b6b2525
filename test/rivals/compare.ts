import { drawDelays, emulatorAuthority } from '../faults/experiments/authority.ts';
import { Findings, type Size } from '../faults/experiments/findings.ts';
import { herd } from '../faults/experiments/herd.ts';
import { killAtRandom } from '../faults/experiments/random-kills.ts';
import { RIVALS } from './contender.ts';
import { herdOfRivals } from './herd.ts';
import { killRival } from './kills.ts';

/*
 * The same kills and the same herd for every rival and for evergrant, as one table. Figures are per 1,000 kills, and per 1,000 expiries.
 */

/** Kills for each expiry of the herd, which takes longer. */
const KILLS_AN_EXPIRY = 10;

interface Row {
  readonly kills: number;
  readonly 'sign-ins needed': number;
  readonly 'revoked while the token lived': number;
  readonly 'file or lock unusable': number;
  readonly expiries: number;
  readonly 'requests too many': number;
  readonly 'grants revoked': number;
}

/** Puts all of them through so many kills each and prints the table. Only what breaks a promise of evergrant is a violation. */
export async function compareRivals(size: Size): Promise<Findings> {
  const findings = new Findings();
  const expiries = Math.ceil(size.trials / KILLS_AN_EXPIRY);
  const rows: Record<string, Row> = {
    evergrant: await putEvergrantThrough(size, expiries, findings),
  };
  for (const rival of RIVALS) {
    const { counted: killed } = await killRival(rival, size);
    const { counted: herded } = await herdOfRivals(rival, expiries);
    rows[rival] = {
      kills: size.trials,
      'sign-ins needed': perThousand(killed['sign-ins needed'], size.trials),
      'revoked while the token lived': perThousand(
        killed['family revoked while the access token lived'],
        size.trials,
      ),
      'file or lock unusable': perThousand(
        (killed['file unreadable'] ?? 0) + (killed['lock file left behind'] ?? 0),
        size.trials,
      ),
      expiries,
      'requests too many': perThousand(herded['requests beyond one an expiry'], expiries),
      'grants revoked': perThousand(herded['grants revoked'], expiries),
    };
    console.table(rows);
    findings.count(`kills of ${rival}`, size.trials);
  }
  return findings;
}

async function putEvergrantThrough(size: Size, expiries: number, findings: Findings): Promise<Row> {
  const killed = await killAtRandom(
    (random) => emulatorAuthority('single-use', drawDelays(random)),
    size,
  );
  const herded = await herd(expiries);
  findings.add(killed);
  findings.add(herded);
  const { counted } = killed;
  return {
    kills: size.trials,
    'sign-ins needed': perThousand(counted['in the window'], size.trials),
    'revoked while the token lived': perThousand(
      counted['family revoked while the access token lived'],
      size.trials,
    ),
    'file or lock unusable': perThousand(counted['lost after our commit'], size.trials),
    expiries,
    'requests too many': perThousand((herded.counted['requests'] ?? 0) - expiries, expiries),
    'grants revoked': perThousand(herded.counted['a refresh token sent twice'], expiries),
  };
}

function perThousand(count = 0, trials: number): number {
  return Math.round((1_000 * count) / trials);
}
