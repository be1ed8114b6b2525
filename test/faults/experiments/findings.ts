/** How big an experiment is, and from which seed its chance comes. */
export interface Size {
  /** See each experiment. */
  readonly trials: number;
  /** Repeats the same instants and delays. */
  readonly seed: number;
}

/** The figure of trials that were left out. */
export const NOT_RUN = 'not run';

/** Whoever is told how far an experiment is. */
interface Watch {
  /** Called for each that is made: the first is of the experiment, any other of a part of it. */
  made(findings: Findings): void;
  /** Called for each figure that grows. */
  grew(findings: Findings): void;
  /** Called for each breach, once. */
  broke(breach: string): void;
}

/** What an experiment comes to, the same in a test and in a trial. */
export class Findings {
  /** Told of what happens while an experiment runs. */
  static watch: Watch | undefined;
  /** Figures by name, in the order of a report. */
  readonly counted: Record<string, number>;
  /** One line for each breach of a promise, with what is needed to see it again. */
  readonly violations: string[] = [];

  /** @param names - figures that are reported even where they stay 0. */
  constructor(...names: readonly string[]) {
    this.counted = Object.fromEntries(names.map((name) => [name, 0]));
    Findings.watch?.made(this);
  }

  /** Adds to a figure. */
  count(name: string, howMany = 1): void {
    this.counted[name] = (this.counted[name] ?? 0) + howMany;
    Findings.watch?.grew(this);
  }

  /** Counts a breach of a promise where there is one. */
  check(isKept: boolean, promise: string, detail: string): void {
    this.count(promise, isKept ? 0 : 1);
    if (isKept) return;
    const breach = `${promise}: ${detail}`;
    this.violations.push(breach);
    Findings.watch?.broke(breach);
  }

  /** Counts trials that this machine does not allow, and says so aloud. */
  notRun(howMany: number, why: string): void {
    this.count(NOT_RUN, howMany);
    console.warn(`${String(howMany)} trials not run: ${why}`);
  }

  /** Adds what another run came to. */
  add({ counted, violations }: Findings): void {
    for (const [name, howMany] of Object.entries(counted)) this.count(name, howMany);
    this.violations.push(...violations);
  }
}

/**
 * The seed of this run, which is printed, so that a failure can be repeated: `EVERGRANT_SEED`, which a trial draws anew each time, else always
 * the same. So a change is judged by what the change before it was judged by, and new instants and inputs are looked for by trials.
 */
export function chooseSeed(experiment: string): number {
  const given = process.env['EVERGRANT_SEED'] ?? '1';
  if (!/^\d{1,15}$/.test(given)) throw new RangeError(`EVERGRANT_SEED=${given} is no seed`);
  const seed = Number(given);
  console.log(`${experiment}: EVERGRANT_SEED=${String(seed)}`);
  return seed;
}

function inWords({ counted }: Findings): string {
  return JSON.stringify(counted);
}

const EVERY_MS = 60_000;

/** From now on tells on stderr, once a minute, how far the next experiment is, and at once what was broken: some take hours. */
export function tellProgress(): void {
  let nextAt = performance.now() + EVERY_MS;
  let whole: Findings | undefined;
  Findings.watch = {
    made: (findings) => (whole ??= findings),
    grew: (findings) => {
      if (performance.now() < nextAt) return;
      nextAt = performance.now() + EVERY_MS;
      const part = findings === whole ? '' : `, in the part under way: ${inWords(findings)}`;
      console.error(`so far: ${whole === undefined ? 'nothing' : inWords(whole)}${part}`);
    },
    broke: (breach) => {
      console.error(breach);
    },
  };
}
