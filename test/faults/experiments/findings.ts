/** What an experiment came to: the same figures in a test and in a trial. */
export interface Findings {
  /** Figures by name, in the order of a report. */
  readonly counted: Readonly<Record<string, number>>;
  /** One line for each breach of a promise, with what is needed to see it again. */
  readonly violations: readonly string[];
}

/** How big an experiment is, and from which seed its chance comes. */
export interface Size {
  /** See each experiment. */
  readonly trials: number;
  /** Repeats the same instants and delays. */
  readonly seed: number;
}

/** The seed of this run: `EVERGRANT_SEED`, else one of the clock. Prints it, so that a failure can be repeated. */
export function chooseSeed(experiment: string): number {
  const given = process.env['EVERGRANT_SEED'];
  const seed = given === undefined ? Date.now() % 0x1_0000_0000 : Number(given);
  console.log(`${experiment}: EVERGRANT_SEED=${String(seed)}`);
  return seed;
}
