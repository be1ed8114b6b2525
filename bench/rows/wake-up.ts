import { ratioRow } from '../harness/ratio-row.ts';
import type { Entrant, Row } from '../harness/row.ts';

const DUE = 10;
const MANY = 1_000_000;
const FEW = 100;

function holding(held: number): Entrant {
  const name = `${held.toLocaleString('en')} held`;
  return { name, module: 'wake-up.ts', options: { held, due: DUE } };
}

/** A wake-up must cost what is due, not what is held. */
export const wakeUp: Row = ratioRow({
  name: 'wake-up',
  work: `the scheduler of \`keeper.start()\` wakes up, renews the ${String(DUE)} that are due among ${MANY.toLocaleString('en')}, and finds out when to wake next`,
  limit: `the same with ${String(DUE)} due among ${String(FEW)}`,
  measure: 'CPU time of one wake-up',
  unit: 'ms',
  by: 'cpu',
  scale: 1,
  roundsByDefault: 25,
  warmup: 5,
  bar: 1.5,
  rest: 'deeper indexes, and pages of the store that are not in its cache',
  entrants: () => ({ entrants: [holding(MANY), holding(FEW)] }),
});
