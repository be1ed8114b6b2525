import { ServerUnavailableError } from '../errors.ts';
import type { Keeper } from '../keeper-api.ts';
import { socketOf } from '../remote/socket.ts';
import { checkSocket } from '../system/ownership.ts';
import { homePaths } from '../system/home.ts';
import { warn, type Session } from './session.ts';

/** One that is well says so at once; one that was stopped takes connections and says nothing. */
const PATIENCE_MS = 5_000;

/**
 * The keeper of the home's daemon, if one answers at its socket and `--direct` does not forbid to use it. A process that finds none pays for one
 * look at a file.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when others can reach the socket, or it is theirs; the signal's reason.
 */
export async function daemonAtHand(session: Session): Promise<Keeper | undefined> {
  if (session.globals.direct === true) return undefined;
  try {
    return await findDaemon(session);
  } catch (error) {
    if (!(error instanceof ServerUnavailableError)) throw error;
    warn(session, `${error.message}. The store is opened without it`);
    return undefined;
  }
}

/**
 * As {@link daemonAtHand}, also with `--direct`.
 *
 * @throws likewise, and {@link ServerUnavailableError} `ERR_DEADLINE` when one is there and does not answer.
 */
export async function findDaemon({
  globals,
  environment,
  clock,
  signal,
}: Session): Promise<Keeper | undefined> {
  const paths = homePaths(globals.home, environment);
  const socket = await socketOf(paths);
  if (!(await checkSocket(socket))) return undefined;
  const [{ Transport }, { RemoteKeeper }] = await Promise.all([
    import('../remote/transport.ts'),
    import('../remote/remote-keeper.ts'),
  ]);
  const transport = new Transport({ socket }, clock);
  try {
    // Costs it nothing, and what its store has to say is for whoever asks for something.
    const asked = { method: 'GET', target: '/healthz', signal, patienceMs: PATIENCE_MS } as const;
    await transport.json(asked);
    return new RemoteKeeper(transport, clock);
  } catch (error) {
    await transport.close();
    const isSilent = error instanceof ServerUnavailableError && error.code === 'ERR_DEADLINE';
    if (error instanceof ServerUnavailableError && !isSilent) return undefined;
    throw error;
  }
}
