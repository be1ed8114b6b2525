/** What a file of `bench/contenders/` offers: its default export prepares, and each round is measured. */
export interface Contender {
  /** Does the work of one round. A number it resolves to replaces the measured time as the round's figure. */
  round(): Promise<number | undefined>;
  /** Undoes or prepares between rounds; not measured. */
  between?(): Promise<void>;
  /** Ends what would keep the process alive. */
  close?(): Promise<void>;
}

/** Makes a contender from the options of its entrant. */
export type Prepare<Options> = (options: Options) => Promise<Contender>;

/** What one round came to. */
export interface Measured {
  /** CPU time of the process with all its threads, milliseconds. */
  readonly cpu: number;
  /** Wall time, milliseconds. */
  readonly wall: number;
  /** What the contender itself measured. */
  readonly value: number | undefined;
}

/** Lines between the harness and a contender's process. */
export type ContenderMessage = { readonly ready: true } | Measured;
