import { Findings } from '../faults/experiments/findings.ts';
import { simulate } from './simulate.ts';

/** A range of seeds. */
export interface Seeds {
  readonly from: number;
  readonly count: number;
  /** Ends the range at the first broken promise. */
  readonly stopsEarly?: boolean;
}

/** Runs one world for each seed. A breach is told with the command that replays it. */
export async function runSeeds({ from, count, stopsEarly = false }: Seeds): Promise<Findings> {
  const findings = new Findings('seeds', 'steps', 'requests', 'tokens served');
  let simulatedMs = 0;
  for (let seed = from; seed < from + count; seed++) {
    const run = await simulate(seed);
    simulatedMs += run.simulatedMs;
    findings.count('seeds');
    findings.count('steps', run.steps);
    findings.count('requests', run.requests);
    findings.count('tokens served', run.served);
    if (run.violation === undefined) continue;
    const { invariant, what } = run.violation;
    findings.check(
      false,
      'broken promises',
      `${what}: npm run simulate -- --seed ${String(seed)} (${invariant})`,
    );
    if (stopsEarly) break;
  }
  findings.count('simulated hours', Math.round(simulatedMs / 3_600_000));
  return findings;
}
