/** What kind of number a row compares. */
export type Unit = 'ns' | 'µs' | 'ms' | 'bytes' | 'packages';

/** Somebody who does the work of a row, in a process of its own. */
export interface Entrant {
  /** As it stands in the table, e.g. `undici`. */
  readonly name: string;
  /** Its file in `bench/contenders/`. */
  readonly module: string;
  /** What the file is told, as JSON data. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Flags of Node, e.g. `--expose-gc`. */
  readonly flags?: readonly string[];
}

/** A figure that has a bar. */
export interface Judged {
  /** What was measured, e.g. `ratio`. */
  readonly what: string;
  /** What came of it. */
  readonly is: number;
  /** The most it may be. */
  readonly atMost: number;
}

/** A contender's figure in a row's unit, the median over rounds. */
export interface Figure {
  /** Whose. */
  readonly name: string;
  /** The median. */
  readonly value: number;
}

/** What a row came to. */
export interface Outcome {
  /** Ours, the limit, then the peers. */
  readonly figures: readonly Figure[];
  /** What must hold. */
  readonly judged: readonly Judged[];
}

/** How a run was ordered. */
export interface RunOptions {
  /** Measured rounds; undefined leaves it to each row. */
  readonly rounds: number | undefined;
}

/** One line of the table. */
export interface Row {
  /** For `--rows`. */
  readonly name: string;
  /** What is done, and what our contender does for it. */
  readonly work: string;
  /** What it is compared with, and what that does and does not do. */
  readonly limit: string;
  /** What the figures are: CPU time or wall time of what, or a size. */
  readonly measure: string;
  /** Of the figures. */
  readonly unit: Unit;
  /** Where our share above the limit goes. */
  readonly rest: string;
  /** Measures. */
  run(options: RunOptions): Promise<Outcome>;
}
