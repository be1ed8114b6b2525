import { ratioRow, type RatioRow } from '../harness/ratio-row.ts';
import type { Entrant, Row } from '../harness/row.ts';

const CALLS = 200_000;

interface Shape {
  readonly name: string;
  readonly work: string;
  readonly connections: number;
  readonly atOnce: number;
}

function row({ name, work, connections, atOnce }: Shape): Row {
  const task = { connections, calls: CALLS, atOnce };
  const entrant = (who: string, module: string): Entrant => ({ name: who, module, options: task });
  const shape: RatioRow = {
    name,
    work,
    limit:
      'an async function that looks the name up in a Map of tokens, compares the expiry with `Date.now()` and returns the entry, awaited',
    measure: 'CPU time of one call',
    unit: 'ns',
    by: 'cpu',
    scale: 1_000_000 / CALLS,
    roundsByDefault: 31,
    warmup: 5,
    bar: 1.3,
    rest: 'one reading of the clock, and once in a quarter of a second a closer look at both clocks, and at the store every second',
    entrants: () => ({
      entrants: [entrant('evergrant', 'token-keeper.ts'), entrant('Map', 'token-map.ts')],
    }),
  };
  return ratioRow(shape);
}

/** `token()` while the token is valid, in four shapes. */
export const tokenRows: readonly Row[] = [
  row({
    name: 'token-1',
    work: '`token()` of one connection while its token is valid, one call after another',
    connections: 1,
    atOnce: 1,
  }),
  row({
    name: 'token-callers',
    work: '`token()` of one connection while its token is valid, 1,000 callers at once',
    connections: 1,
    atOnce: 1_000,
  }),
  row({
    name: 'token-1000',
    work: '`connection(name).token()` of any of 1,000 connections while their tokens are valid',
    connections: 1_000,
    atOnce: 1,
  }),
  row({
    name: 'token-10000',
    work: '`connection(name).token()` of any of 10,000 connections while their tokens are valid',
    connections: 10_000,
    atOnce: 1,
  }),
];
