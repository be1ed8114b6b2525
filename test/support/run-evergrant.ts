import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { root } from './sources.ts';

/** How a command ended. */
export interface Ended {
  /** Exit code; -1 when a signal ended it. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it told. */
  readonly stderr: string;
}

/** A command under way. */
export interface Running {
  /** Its process. */
  readonly child: ChildProcess;
  /** Resolves when it has ended. */
  readonly ended: Promise<Ended>;
  /** Waits until stderr holds something, and hands out the first group of the match. */
  told(pattern: RegExp): Promise<string>;
}

/** What a command gets besides its arguments. */
export interface RunOptions {
  /** Standard input; nothing by default. */
  readonly input?: string;
  /** Leaves standard input open, for the test to write to. */
  readonly keepsInputOpen?: boolean;
  /** Variables in place of, or besides, those of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Options of Node. */
  readonly node?: readonly string[];
  /** Where stdout goes instead of into the result. */
  readonly stdout?: number;
  /** Runs as this user and group; only root may choose. */
  readonly user?: number | undefined;
}

/** Starts the command line from its sources, as a process of its own. */
export function startEvergrant(argv: readonly string[], options: RunOptions = {}): Running {
  const main = path.join(root, 'src/cli/start.ts');
  const stdio: StdioOptions = ['pipe', options.stdout ?? 'pipe', 'pipe'];
  const child = spawn(
    process.execPath,
    ['--conditions=evergrant-test', ...(options.node ?? []), main, ...argv],
    {
      stdio,
      env: { ...process.env, NODE_OPTIONS: '', EVERGRANT_HOME: '', ...options.env },
      uid: options.user,
      gid: options.user,
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  child.stdin?.on('error', () => undefined);
  if (options.keepsInputOpen !== true) child.stdin?.end(options.input);
  const ended = once(child, 'close').then(([code]) => ({
    code: (code as number | null) ?? -1,
    stdout,
    stderr,
  }));
  const told = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const match = pattern.exec(stderr);
      if (match !== null) return match[1] ?? match[0];
      const more = await Promise.race([once(child.stderr!, 'data'), ended]);
      if (!Array.isArray(more) && !pattern.test(stderr)) {
        throw new Error(`the command ended without telling ${String(pattern)}: ${stderr}`);
      }
    }
  };
  return { child, ended, told };
}

/** Runs the command line to its end. */
export function evergrant(argv: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return startEvergrant(argv, options).ended;
}
