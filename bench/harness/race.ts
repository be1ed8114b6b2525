import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { ContenderMessage, Measured } from './contender.ts';
import { median } from './median.ts';
import type { Entrant, Figure, RunOptions } from './row.ts';

/** How a race is run. */
export interface RaceOptions extends RunOptions {
  /** Rounds where the caller names none. */
  readonly roundsByDefault: number;
  /** Rounds that do not count, for the compiler to settle. */
  readonly warmup: number;
  /** Which of a round's figures counts. */
  readonly by: 'cpu' | 'wall' | 'value';
  /** What a figure in milliseconds is multiplied with, to get the row's unit for one piece of work. */
  readonly scale: number;
}

const main = path.join(import.meta.dirname, 'contender.process.ts');
const contenders = path.join(import.meta.dirname, '../contenders');

/**
 * Lets entrants do their rounds in turns, A B A B, so that what disturbs the machine disturbs all of them alike. Each has a process of its
 * own, which stands still while others have their turn.
 *
 * @returns the median of each, in the order given.
 */
export async function race(
  entrants: readonly Entrant[],
  options: RaceOptions,
): Promise<readonly Figure[]> {
  const children: ChildProcess[] = [];
  try {
    for (const entrant of entrants) children.push(await start(entrant));
    const values = entrants.map((): number[] => []);
    const rounds = options.rounds ?? options.roundsByDefault;
    for (let round = -options.warmup; round < rounds; round++) {
      for (const [i, child] of children.entries()) {
        const measured = await ask(child);
        if (round >= 0) values[i]?.push(figureOf(measured, options));
      }
    }
    return entrants.map(({ name }, i) => ({ name, value: median(values[i] ?? []) }));
  } finally {
    for (const child of children) child.send('close', () => undefined);
    await Promise.all(children.map(async (child) => child.exitCode ?? once(child, 'exit')));
  }
}

function figureOf(measured: Measured, { by, scale }: RaceOptions): number {
  const value = measured[by];
  if (value === undefined) throw new Error('the contender measured nothing');
  return value * scale;
}

async function start({ module, options = {}, flags = [] }: Entrant): Promise<ChildProcess> {
  const file = path.join(contenders, module);
  const child = fork(main, [file, JSON.stringify(options)], { execArgv: [...flags] });
  await message(child);
  return child;
}

async function ask(child: ChildProcess): Promise<Measured> {
  const answer = message(child);
  child.send('round');
  const measured = await answer;
  if ('ready' in measured) throw new Error('a contender began anew');
  return measured;
}

/** The next message of a contender. @throws when it ends instead; what it printed says why. */
async function message(child: ChildProcess): Promise<ContenderMessage> {
  const ended = new AbortController();
  const { signal } = ended;
  const exit = once(child, 'exit', { signal }).then(() => {
    throw new Error(`a contender ended: ${child.spawnargs.slice(1).join(' ')}`);
  });
  try {
    const [first] = (await Promise.race([once(child, 'message', { signal }), exit])) as [unknown];
    return first as ContenderMessage;
  } finally {
    exit.catch(() => undefined);
    ended.abort();
  }
}
