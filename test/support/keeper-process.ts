import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Name of the connection that a keeper process serves. */
export const CONNECTION = 'kept';

/** What a keeper process is started with; crosses as JSON. */
export interface KeeperProcessOptions {
  /** Folder of the home. */
  readonly home: string;
  /** How far its clocks are ahead of the machine's. */
  readonly aheadMs?: number;
}

/** One thing that a keeper process is asked to do. */
export type KeeperOrder =
  | {
      readonly do: 'token';
      /** How many callers ask at once; by default one. */
      readonly callers?: number;
      readonly minLifeMs?: number;
      readonly timeoutMs?: number;
    }
  | {
      readonly do: 'refresh';
      /** How often, one after the other; by default once. */ readonly times?: number;
    }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'close' };

/** What a caller got: a token, or the code and the message of an error. */
export type Served =
  | { readonly value: string; readonly generation: number }
  | { readonly code: string; readonly message: string };

/** An event of the keeper, told before anything else happens in its process. */
export interface KeeperProcessEvent {
  readonly event: 'refreshing' | 'refreshed' | 'refresh_failed' | 'warning';
  readonly generation?: number;
  readonly message?: string;
}

/** A line that a keeper process prints. */
export type KeeperLine =
  | { readonly ready: true }
  | { readonly reply: number; readonly result: unknown }
  | KeeperProcessEvent;

/** A keeper in a process of its own, which can be killed and stopped. */
export interface KeeperProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it has told so far. */
  readonly events: readonly KeeperProcessEvent[];
  /** Settles when the process has gone: with the signal that ended it, or its exit code. */
  readonly ended: Promise<NodeJS.Signals | number>;
  /** What each caller got. Rejects when the process ends first. */
  token(demand?: Omit<KeeperOrder & { do: 'token' }, 'do'>): Promise<readonly Served[]>;
  /** Refreshes by hand so many times. Rejects when the process ends first. @returns what a rival got at last. */
  refresh(times?: number): Promise<Served | null>;
  /** Moves its clocks ahead. */
  advance(ms: number): Promise<void>;
  /** Sends SIGKILL and waits until it has gone. */
  kill(): Promise<void>;
  /** Waits until a signal has stopped it, as a `stop` failpoint does. */
  stopped(): Promise<void>;
  /** Lets it go on after a stop. */
  resume(): void;
  /** Closes the keeper and waits until the process has ended by itself. */
  close(): Promise<void>;
}

/** How a keeper process may be hurt; see `failpoints.ts`. */
export interface KeeperHurt {
  /** `name:action`, e.g. `after-send:kill`. */
  readonly failpoints?: readonly string[];
  /** The command under which it runs, such as one that limits it. */
  readonly under?: readonly string[];
  /** Its complaints are not passed on. */
  readonly isQuiet?: boolean;
}

const main = new URL('keeper.process.ts', import.meta.url).pathname;

/** Starts a keeper on a home and waits until it is open. Defences that this process has switched off by variable are off there too. */
export function startKeeperProcess(
  options: KeeperProcessOptions,
  hurt: KeeperHurt = {},
): Promise<KeeperProcess> {
  return startConversation(main, options, hurt);
}

/** Starts a program that speaks as `keeper.process.ts` does. @param options - its first argument, as JSON. */
export async function startConversation(
  program: string,
  options: object,
  { failpoints = [], under = [], isQuiet = false }: KeeperHurt = {},
): Promise<KeeperProcess> {
  const node = [process.execPath, '--no-warnings', '--conditions=evergrant-test'];
  const [command, ...parameters] = [...under, ...node, program, JSON.stringify(options)];
  const child = spawn(command, parameters, {
    stdio: ['pipe', 'pipe', isQuiet ? 'ignore' : 'inherit'],
    env: {
      ...process.env,
      EVERGRANT_FAILPOINTS: failpoints.join(','),
      // Whoever counts the calls of a process must not count those of Node's own cache.
      ...(under.length > 0 && { NODE_DISABLE_COMPILE_CACHE: '1' }),
    },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the keeper process could not be started');
  // A process that is killed breaks the pipe under whoever writes to it.
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(
    ([code, signal]) => (signal ?? code) as NodeJS.Signals | number,
  );
  const talk = conversation(child.stdout, ended, (line) => {
    child.stdin.write(line);
  });
  await talk.ready;
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    pid,
    events: talk.events,
    ended,
    token: async (demand = {}) => (await talk.ask({ do: 'token', ...demand })) as Served[],
    refresh: async (times = 1) => (await talk.ask({ do: 'refresh', times })) as Served | null,
    advance: async (ms) => {
      await talk.ask({ do: 'advance', ms });
    },
    kill,
    stopped: () => untilStopped(pid),
    resume: () => void child.kill('SIGCONT'),
    async close() {
      await talk.ask({ do: 'close' });
      child.stdin.end();
      await ended;
    },
    [Symbol.asyncDispose]: kill,
  };
}

interface Conversation {
  readonly ready: Promise<unknown>;
  readonly events: KeeperProcessEvent[];
  ask(order: KeeperOrder): Promise<unknown>;
}

function conversation(
  output: NodeJS.ReadableStream,
  ended: Promise<NodeJS.Signals | number>,
  write: (line: string) => void,
): Conversation {
  const events: KeeperProcessEvent[] = [];
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const expect = (id: number): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    return answer.promise;
  };
  createInterface({ input: output }).on('line', (text) => {
    const line = JSON.parse(text) as KeeperLine;
    if ('event' in line) events.push(line);
    else
      waiting.get('ready' in line ? 0 : line.reply)?.resolve('ready' in line ? true : line.result);
  });
  void ended.then((how) => {
    for (const { reject } of waiting.values()) {
      reject(new Error(`the keeper process ended by ${String(how)}`));
    }
  });
  let last = 0;
  return {
    ready: expect(0),
    events,
    ask(order) {
      const id = ++last;
      const answer = expect(id);
      write(`${JSON.stringify({ id, ...order })}\n`);
      return answer;
    },
  };
}

/** No event tells that a process was stopped by a signal; the system's process table does. */
async function untilStopped(pid: number): Promise<void> {
  const run = promisify(execFile);
  for (;;) {
    const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]);
    if (stdout.trim().startsWith('T')) return;
    await delay(10);
  }
}
