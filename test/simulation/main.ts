import { parseArgs } from 'node:util';
import { setSabotage } from '../support/failpoints.ts';
import { simulate } from './simulate.ts';

/*
 * `npm run simulate -- --seed N` replays one seed with its trace; `--count N` runs N seeds from `--from` on and replays the first that
 * fails. `--sabotage NAME` switches a defence off.
 */

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
    count: { type: 'string', default: '1000' },
    sabotage: { type: 'string' },
  },
});

async function replay(seed: number): Promise<void> {
  const trace: string[] = [];
  const { violation } = await simulate(seed, trace);
  console.log(trace.join('\n'));
  console.log(
    violation === undefined
      ? `seed ${String(seed)}: all held`
      : `seed ${String(seed)}: ${violation.invariant} broken: ${violation.what}`,
  );
  if (violation !== undefined) process.exitCode = 1;
}

async function runMany(from: number, count: number): Promise<void> {
  const beganAt = performance.now();
  let steps = 0;
  for (let seed = from; seed < from + count; seed++) {
    const run = await simulate(seed);
    steps += run.steps;
    if (run.violation === undefined) continue;
    await replay(seed);
    return;
  }
  const seconds = (performance.now() - beganAt) / 1_000;
  console.log(
    `${String(count)} seeds, ${String(steps)} steps, ${(count / seconds).toFixed(0)} seeds a second: all held`,
  );
}

if (values.sabotage !== undefined) setSabotage(values.sabotage, true);
if (values.seed === undefined) await runMany(Number(values.from), Number(values.count));
else await replay(Number(values.seed));
