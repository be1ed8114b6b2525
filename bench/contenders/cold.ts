import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Prepare } from '../harness/contender.ts';

/** One command, run by Node as a process of its own. */
interface Task {
  /** Arguments of Node. */
  readonly args: readonly string[];
  /** Variables besides those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What it must print, to the letter; nothing by default. */
  readonly prints?: string;
  /** How its output begins, where it differs each time. */
  readonly printsFirst?: string;
  /** Rest after each run. */
  readonly restMs?: number;
}

const run = promisify(execFile);

/** A cold process: from its start until it has ended and its output is read. */
const prepare: Prepare<Task> = async ({ args, environment, prints = '', restMs = 0, ...task }) => ({
  async round() {
    const env = { ...process.env, ...environment };
    const { stdout } = await run(process.execPath, [...args], { env });
    const isRight =
      task.printsFirst === undefined ? stdout === prints : stdout.startsWith(task.printsFirst);
    if (!isRight) throw new Error(`${args.join(' ')} printed ${stdout.slice(0, 80)}`);
    return undefined;
  },
  between: () => sleep(restMs),
});

export default prepare;
