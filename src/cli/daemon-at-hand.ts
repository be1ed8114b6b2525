import { ServerUnavailableError } from '../errors.ts';
import type { Keeper } from '../keeper-api.ts';
import { socketOf } from '../remote/socket.ts';
import { checkSocket } from '../system/ownership.ts';
import { homePaths } from '../system/home.ts';
import type { Session } from './session.ts';

/**
 * The keeper of the home's daemon, if one answers at its socket and `--direct` does not forbid to use it. A process that finds none pays for one
 * look at a file.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when others can reach the socket, or it is theirs.
 */
export async function daemonAtHand(session: Session): Promise<Keeper | undefined> {
  const { globals, environment, clock } = session;
  if (globals.direct === true) return undefined;
  const paths = homePaths(globals.home, environment);
  const socket = await socketOf(paths);
  if (!(await checkSocket(socket))) return undefined;
  const [{ Transport }, { RemoteKeeper }] = await Promise.all([
    import('../remote/transport.ts'),
    import('../remote/remote-keeper.ts'),
  ]);
  const transport = new Transport({ socket });
  try {
    // Costs it nothing, and what its store has to say is for whoever asks for something.
    await transport.json({ method: 'GET', target: '/healthz' });
    return new RemoteKeeper(transport, clock);
  } catch (error) {
    await transport.close();
    if (error instanceof ServerUnavailableError) return undefined;
    throw error;
  }
}
