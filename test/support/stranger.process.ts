import { linkSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';

/*
 * Another user of the machine at somebody's socket: tries to reach it, and to put its own in its place. Tells what was possible, as a line of JSON.
 */

const [socketPath = '', times = '1'] = process.argv.slice(2);
const folder = path.dirname(socketPath);
const done: Record<string, number> = { tried: 0 };

function reach(target: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.on('connect', () => {
      socket.destroy();
      resolve('reached');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  });
}

function squat(target: string): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ path: target }, () => server.close(() => resolve('reached')));
  });
}

function attempt(work: () => void): Promise<string> {
  try {
    work();
    return Promise.resolve('reached');
  } catch (error) {
    return Promise.resolve((error as NodeJS.ErrnoException).code ?? 'unknown');
  }
}

const WAYS: readonly (() => Promise<string>)[] = [
  () => reach(socketPath),
  () => reach(`${folder}/../run/${path.basename(socketPath)}`),
  () => reach(`/proc/self/root${socketPath}`),
  () => squat(path.join(folder, 'other.sock')),
  () => attempt(() => unlinkSync(socketPath)),
  () => attempt(() => renameSync(socketPath, `${socketPath}.old`)),
  () => attempt(() => linkSync(socketPath, path.join('/tmp', `stranger-${String(process.pid)}`))),
  () => attempt(() => writeFileSync(path.join(folder, 'file'), '')),
];

for (let i = 0; i < Number(times); i++) {
  const what = await WAYS[i % WAYS.length]?.();
  done['tried'] = (done['tried'] ?? 0) + 1;
  if (what !== undefined) done[what] = (done[what] ?? 0) + 1;
}
console.log(JSON.stringify(done));
