import { resolve } from 'node:path';
import { socketOf } from '../remote/socket.ts';
import { homePaths } from '../system/home.ts';
import type { Session } from './session.ts';

/** What only a daemon can do: where it is, and what it is asked. */
export interface Order {
  /** Path of its socket; the one of the home by default. */
  readonly socket: string | undefined;
  /** Path of the operation, which is posted to. */
  readonly target: string;
  /** Sent as JSON. */
  readonly body?: object;
}

/** It may have to ask an authorization server. */
const PATIENCE_MS = 60_000;

/**
 * Asks the daemon on its owner's socket, and hands back the JSON that it answers with.
 *
 * @throws the error that the daemon tells of; ServerUnavailableError `ERR_DAEMON_UNREACHABLE` when none answers, `ERR_DEADLINE` when it does not within a minute; StoreError `ERR_STORE_UNSAFE`
 *   when the socket is not its owner's alone.
 */
export async function askDaemon(
  session: Session,
  { socket, target, body = {} }: Order,
): Promise<unknown> {
  const paths = homePaths(session.globals.home, session.environment);
  const { Transport } = await import('../remote/transport.ts');
  const at = socket === undefined ? await socketOf(paths) : resolve(socket);
  const transport = new Transport({ socket: at }, session.clock);
  const { signal } = session;
  try {
    return await transport.json({ method: 'POST', target, body, signal, patienceMs: PATIENCE_MS });
  } finally {
    await transport.close();
  }
}
