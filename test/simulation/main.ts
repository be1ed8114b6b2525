import { parseArgs } from 'node:util';
import { tellProgress } from '../faults/experiments/findings.ts';
import { setSabotage } from '../support/failpoints.ts';
import { PROMISES } from './oracle.ts';
import { runSeeds } from './run-seeds.ts';
import { simulate } from './simulate.ts';

/*
 * `npm run simulate -- --seed N` replays one seed and prints all that happens in it. `--count N` runs N seeds from `--from` on (0 by
 * default) and tells which break a promise. `--sabotage NAME` switches a defence off and stops at the first breach.
 */

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '1000' },
    sabotage: { type: 'string' },
  },
});

// A promise that nobody looks after is a defect of the simulated code.
process.on('unhandledRejection', (error) => {
  console.log('a rejection that nobody handles', error);
  process.exit(1);
});

if (values.sabotage !== undefined) setSabotage(values.sabotage, true);
const isKept = await (values.seed === undefined ? many() : replay(Number(values.seed)));
process.exitCode = isKept ? 0 : 1;

async function replay(seed: number): Promise<boolean> {
  const trace: string[] = [];
  const { violation } = await simulate(seed, trace);
  console.log(trace.join('\n'));
  const { invariant, what } = violation ?? {};
  const said =
    invariant === undefined ? 'every promise was kept' : `${PROMISES[invariant]}\n${String(what)}`;
  console.log(`seed ${String(seed)}: ${invariant ?? ''} ${said}`);
  return violation === undefined;
}

async function many(): Promise<boolean> {
  tellProgress();
  const { counted, violations } = await runSeeds({
    from: Number(values.from),
    count: Number(values.count),
    stopsEarly: values.sabotage !== undefined,
  });
  console.table(counted);
  for (const violation of violations) console.log(violation);
  return violations.length === 0;
}
