/*
 * Some experiments are tests of `test/unit` that do more of the same when they are run as a trial: `npm run trial -- damaged-stores --trials 8`.
 */

/** How many times as much as in `npm test` is done: 1 there. A trial says it by `EVERGRANT_TIMES`. @throws RangeError for no number from 1 on. */
export function timesAsMuch(): number {
  const given = process.env['EVERGRANT_TIMES'] ?? '1';
  if (!/^[1-9]\d{0,5}$/.test(given)) throw new RangeError(`EVERGRANT_TIMES=${given} is no number`);
  return Number(given);
}
