import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { ConfigurationError } from '../errors.ts';
import { checkSocket } from '../system/files.ts';

/** An answer is short; what goes on was not written by a daemon of ours. */
const PATIENCE_MS = 30_000;

/**
 * Asks a daemon on the socket of its owner to do something that takes no details.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when none answers there, or it refuses; a StoreError `ERR_STORE_UNSAFE` when
 *   the socket is not its owner's alone.
 */
export async function askDaemon(
  socket: string,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  if (!(await checkSocket(socket))) throw notThere(socket);
  const [status, answer] = await post(socket, path, signal).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw notThere(socket, cause);
  });
  const value = read(answer);
  if (status === 200) return value;
  const { detail } = (value ?? {}) as { readonly detail?: string };
  throw new ConfigurationError(
    'ERR_CONFIGURATION',
    `the daemon at ${socket} refuses: ${detail ?? `it answered ${String(status)}`}`,
  );
}

async function post(
  socketPath: string,
  path: string,
  signal: AbortSignal,
): Promise<readonly [number, string]> {
  const sent = request({
    ...{ socketPath, path, signal, method: 'POST', timeout: PATIENCE_MS },
    headers: { host: 'localhost', 'content-type': 'application/json', 'content-length': '2' },
  });
  sent.on('timeout', () => sent.destroy());
  sent.end('{}');
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  return [response.statusCode ?? 0, await text(response)];
}

function read(answer: string): unknown {
  try {
    return JSON.parse(answer) as unknown;
  } catch {
    return undefined;
  }
}

function notThere(socket: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(
    'ERR_CONFIGURATION',
    `no daemon answers at ${socket}; start one with evergrant serve, or name its socket`,
    { cause },
  );
}
