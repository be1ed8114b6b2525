import type { OwnSocket } from './own-socket.ts';
import type { DaemonStore } from './store.ts';

/** What keeps a daemon from serving, in words; none when it is ready. */
export async function whyNotReady({
  ending,
  ownSocket,
  store,
}: {
  readonly ending: AbortSignal;
  readonly ownSocket: OwnSocket;
  readonly store: DaemonStore;
}): Promise<readonly string[]> {
  const found: string[] = [];
  if (ending.aborted) found.push('the daemon is ending');
  if (!(await ownSocket.isReached())) found.push('the socket was removed or replaced');
  try {
    await store.endpoints();
  } catch (error) {
    found.push(error instanceof Error ? error.message : String(error));
  }
  return found;
}
