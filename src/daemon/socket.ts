import { connect, type Server } from 'node:net';
import { ConfigurationError } from '../errors.ts';
import { errnoOf } from '../system/file-errors.ts';
import { isQueueFull } from '../system/full-queue.ts';
import { folderOf, privateFolder, removeFile } from '../system/files.ts';
import { checkSocket, identityOf, makeOwnerOnly } from '../system/ownership.ts';
import { listen } from './http/listener.ts';

/*
 * The owner's socket: 0600, in a folder that only its owner can enter, which is what tells the owner from others, since Node cannot ask who is at
 * the other end. A socket that nobody answers at was left by a crash and is removed; one that answers is another daemon's.
 */

const ATTEMPTS = 3;

/**
 * Makes a server listen at a path.
 *
 * @returns the identity of the socket.
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when another daemon answers there, or no socket can be made;
 *   {@link StoreError} `ERR_STORE_UNSAFE` when its folder, or what lies at the path, is not its owner's alone.
 */
export async function listenOnSocket(server: Server, path: string): Promise<string> {
  await privateFolder(folderOf(path));
  for (let attempt = 1; ; attempt++) {
    await removeDead(path);
    try {
      await listen(server, { path });
      break;
    } catch (error) {
      // Another process was quicker; the next look tells whether it lives.
      if (errnoOf(error) !== 'EADDRINUSE' || attempt === ATTEMPTS) throw cannot(path, error);
    }
  }
  await makeOwnerOnly(path);
  await checkSocket(path);
  return (await identityOf(path)) ?? '';
}

async function removeDead(path: string): Promise<void> {
  await checkSocket(path);
  const before = await identityOf(path);
  if (before === undefined) return;
  if (await answers(path)) {
    throw new ConfigurationError(
      'ERR_CONFIGURATION',
      `a daemon answers at ${path} already; stop it, or give this one another socket`,
    );
  }
  if ((await identityOf(path)) === before) await removeFile(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => {
      const code = errnoOf(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      // A queue that is full belongs to somebody who lives.
      else if (isQueueFull(error)) resolve(true);
      else reject(cannot(path, error));
    });
  });
}

/** What the system says of a path that is too long tells nobody so. */
const LONGEST_PATH = 100;

function cannot(path: string, cause: unknown): ConfigurationError {
  const bytes = Buffer.byteLength(path);
  if (bytes > LONGEST_PATH && ['EINVAL', 'ENAMETOOLONG'].includes(errnoOf(cause) ?? ''))
    return new ConfigurationError(
      'ERR_CONFIGURATION',
      `cannot listen at ${path}, whose ${String(bytes)} bytes are too many for a socket; choose another socket, of ${String(LONGEST_PATH)} at most`,
    );
  return new ConfigurationError(
    'ERR_CONFIGURATION',
    `cannot listen at ${path} (${errnoOf(cause) ?? 'unknown error'}); choose another socket`,
    { cause },
  );
}
