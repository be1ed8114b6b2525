import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request, type Agent } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { startEvergrant } from './run-evergrant.ts';
import { root } from './sources.ts';

/** What a server said. */
export interface Said {
  readonly status: number;
  readonly body: string;
}

/** `evergrant serve` as a process of its own. */
export interface Serving extends AsyncDisposable {
  readonly pid: number;
  readonly socket: string;
  /** Sends SIGKILL and waits until it has gone. */
  kill(): Promise<void>;
  /** Its memory, in bytes. */
  memory(): number;
}

/** Where the daemon of a home listens. */
export function socketOf(home: string): string {
  return path.join(home, 'run', 'evergrant.sock');
}

/** Starts it on a home, with the options of Node that its unit gives it, and waits until it serves. */
export async function serve(home: string): Promise<Serving> {
  const unit = readFileSync(path.join(root, 'deploy/evergrant.service'), 'utf8');
  const NODE_OPTIONS = /^Environment=NODE_OPTIONS=(.+)$/m.exec(unit)?.[1];
  const { child, ended, told } = startEvergrant(['serve', '--home', home], {
    env: { NODE_OPTIONS },
  });
  await told(/serving/);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const pid = child.pid ?? 0;
  return {
    pid,
    socket: socketOf(home),
    kill,
    memory: () => memoryOf(pid),
    [Symbol.asyncDispose]: kill,
  };
}

/** Asks a server on a socket. Rejects when there is none, or when it ends before its answer does. */
export async function askAt(
  socketPath: string,
  target: string,
  { method = 'GET', agent = false }: { method?: 'GET' | 'POST'; agent?: Agent | false } = {},
): Promise<Said> {
  const body = method === 'POST' ? '{}' : undefined;
  const json = { 'content-type': 'application/json', 'content-length': '2' };
  const headers = { host: 'localhost', ...(body !== undefined && json) };
  const asked = request({ socketPath, path: target, method, agent, headers });
  asked.end(body);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
  });
  return { status: response.statusCode ?? 0, body: await text(response) };
}

function memoryOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024;
}
