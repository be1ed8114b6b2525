import { runCommand } from '../../system/command.ts';
import type { Log } from '../../system/log.ts';
import type { Session } from '../session.ts';

const PATIENCE_MS = 5_000;

/**
 * Tells systemd how far the daemon is, where it started this process and waits to hear. Its own program does it, because Node has no datagram
 * sockets of the Unix kind.
 */
export async function tellManager(
  { environment }: Session,
  log: Log,
  state: 'ready' | 'stopping',
): Promise<void> {
  if (environment['NOTIFY_SOCKET'] === undefined) return;
  try {
    await runCommand(['systemd-notify', `--${state}`], '', PATIENCE_MS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn('systemd could not be told; is NotifyAccess=all in the unit?', { state, reason });
  }
}
