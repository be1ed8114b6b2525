import { spawn } from 'node:child_process';

/** How another evergrant is started: as this one was. */
export interface Launcher {
  /** Program and leading arguments. */
  readonly command: readonly [string, ...string[]];
  /** The environment variables of this process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a process left. */
export interface Ended {
  /** What it exited with; undefined when a signal ended it. */
  readonly code: number | undefined;
  /** The signal that ended it. */
  readonly signal: string | undefined;
  /** What it printed. */
  readonly stdout: string;
  /** What it said besides. */
  readonly stderr: string;
}

/** An evergrant in a process of its own. */
export interface EvergrantProcess {
  /** Resolves when it has ended, however it did. */
  readonly finished: Promise<Ended>;
  /** Ends it as `kill -9` does. */
  kill(): void;
  /** Asks it to end, as SIGTERM does. */
  stop(): void;
  /** Resolves once it has said this besides what it prints. @throws what it said instead, when it ends before. */
  untilSaid(text: string): Promise<void>;
}

/** Starts `evergrant` with these arguments on a home. */
export function startEvergrant(
  { command: [program, ...leading], environment }: Launcher,
  home: string,
  args: readonly string[],
): EvergrantProcess {
  const child = spawn(program, [...leading, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutSettings(environment), EVERGRANT_HOME: home },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => void stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => void stderr.push(chunk));
  const finished = new Promise<Ended>((resolve) => {
    const end = (code: number | null, signal: string | null, why = ''): void => {
      resolve({
        code: code ?? undefined,
        signal: signal ?? undefined,
        stdout: Buffer.concat(stdout).toString('utf8').trim(),
        stderr: `${Buffer.concat(stderr).toString('utf8')}${why}`.trim(),
      });
    };
    child.once('error', (error) => end(null, null, error.message));
    child.once('close', end);
  });
  return {
    finished,
    kill: () => void child.kill('SIGKILL'),
    stop: () => void child.kill('SIGTERM'),
    untilSaid: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (Buffer.concat(stderr).includes(text)) resolve();
        };
        child.stderr.on('data', look);
        look();
        void finished.then((ended) => reject(new Error(ended.stderr || ended.stdout)));
      }),
  };
}

/** The person's own settings of evergrant have no part in the demo. */
function withoutSettings(environment: Launcher['environment']): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !name.startsWith('EVERGRANT_'));
  return Object.fromEntries(kept);
}
