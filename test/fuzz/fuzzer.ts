import vm from 'node:vm';
import { Findings, type Size } from '../faults/experiments/findings.ts';
import { heapBytes } from '../support/heap.ts';
import { Dice } from './dice.ts';

/*
 * A fuzzer throws input at one door of evergrant and judges what comes back. Each promises: no error but evergrant's own, no hang, no secret
 * in what is said, no token served that the input did not hold, nothing lost.
 */

/** What one input came to. */
export interface Sight {
  /** In a word; figures count it. */
  readonly met: string;
  /** What was broken, if anything. */
  readonly breach?: string | undefined;
  /** The input, for people. */
  readonly input: string;
}

/** Something under attack. */
export interface Door extends AsyncDisposable {
  /** Makes an input, throws it, judges. */
  attack(dice: Dice): Sight | Promise<Sight>;
}

/** One kind of attack. */
export interface Fuzzer {
  /** Of the trial: `fuzz-` and this. */
  readonly name: string;
  /** Inputs in `npm test`. */
  readonly trials: number;
  /** Inputs of a trial at full size. */
  readonly fullTrials: number;
  /** What inputs must come to at least once in `npm test`: else they do not reach what they attack. */
  readonly reaches: readonly string[];
  /** Mistakes that can be built in, each of which must be found in `npm test`. */
  readonly defects: readonly string[];
  /** Sets the target up, with one of the mistakes in it where it is named. */
  open(defect?: string): Promise<Door>;
}

/** Longest that a few inputs take; generous, since nothing but a hang comes near it. */
const HANG_MS = 60_000;
/** The same for code that does not wait; a built-in hang is waited for so long. */
const LOOP_MS = 15_000;
/** Inputs that one watch is set over: setting it costs more than an input does. */
const WATCHED = 50;

/** What may be left in memory by the second half of the inputs, once its door is closed. */
const MOST_KEPT_BYTES = 50 * 1024 * 1024;

/**
 * Attacks so many times, one half after the other, and looks at what the second leaves in memory. Each input has a seed of its own, which
 * repeats it alone. Ends early with a breach of a built-in mistake.
 */
export async function attack(
  fuzzer: Fuzzer,
  { trials, seed }: Size,
  defect?: string,
): Promise<Findings> {
  const findings = new Findings('inputs', 'breaches');
  const isOver = (): boolean => defect !== undefined && findings.violations.length > 0;
  const half = Math.ceil(trials / 2);
  await throwAt(await fuzzer.open(defect), { trials: half, seed }, findings, isOver);
  if (isOver() || half === trials) return findings;
  const before = await heapBytes();
  const rest = { trials: trials - half, seed: seed + half };
  await throwAt(await fuzzer.open(defect), rest, findings, isOver);
  const kept = (await heapBytes()) - before;
  findings.check(kept <= MOST_KEPT_BYTES, 'breaches', `${String(kept)} bytes are kept`);
  return findings;
}

async function throwAt(
  opened: Door,
  { trials, seed }: Size,
  findings: Findings,
  isOver: () => boolean,
): Promise<void> {
  await using door = opened;
  for (let i = 0; i < trials && !isOver(); i += WATCHED) {
    const seeds = Array.from({ length: Math.min(WATCHED, trials - i) }, (_, n) => seed + i + n);
    await round(door, seeds, findings, isOver);
  }
}

async function round(
  door: Door,
  seeds: readonly number[],
  findings: Findings,
  isOver: () => boolean,
): Promise<void> {
  let at = seeds[0] ?? 0;
  const left = [...seeds];
  const note = ({ met, breach, input }: Sight): void => {
    findings.count('inputs');
    findings.count(met);
    const story = `${breach ?? ''}; EVERGRANT_SEED=${String(at)} --trials 1, ${input.slice(0, 1_000)}`;
    findings.check(breach === undefined, 'breaches', story);
  };
  /** Goes on as long as nothing has to be waited for. */
  const run = (): Promise<Sight> | undefined => {
    while (left.length > 0 && !isOver()) {
      at = left.shift() ?? 0;
      const sight = door.attack(new Dice(at));
      if (sight instanceof Promise) return sight;
      note(sight);
    }
    return undefined;
  };
  while (left.length > 0 && !isOver()) {
    try {
      const waiting = interruptibly(run);
      if (waiting !== undefined) note(await unlessHung(waiting));
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      note({ met: 'thrown', breach: `thrown: ${what}`, input: '' });
    }
  }
}

const context: vm.Context & { work?: () => void } = vm.createContext({});
const script = new vm.Script('work()');

/** Runs what does not wait, and ends it where it never would. @throws the code `ERR_SCRIPT_EXECUTION_TIMEOUT` then. */
function interruptibly<T>(work: () => T): T {
  let result: T | undefined;
  context.work = () => void (result = work());
  script.runInContext(context, { timeout: LOOP_MS });
  return result as T;
}

async function unlessHung(waiting: Promise<Sight>): Promise<Sight> {
  const hang = Promise.withResolvers<Sight>();
  const timer = setTimeout(
    () => hang.resolve({ met: 'hang', breach: 'it hangs', input: '' }),
    HANG_MS,
  );
  try {
    return await Promise.race([waiting, hang.promise]);
  } finally {
    clearTimeout(timer);
  }
}
