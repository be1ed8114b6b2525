import type { Keeper } from '../keeper-api.ts';
import { closeKeeper } from './close-keeper.ts';
import { daemonAtHand } from './daemon-at-hand.ts';
import { readKeySource } from './input/key-source.ts';
import { tellEvents } from './output/events.ts';
import { reportFailure } from './output/failure.ts';
import { suggest } from './output/suggestions.ts';
import type { Home, Session } from './session.ts';

/** How a command opens the home. */
interface HomeOptions {
  /** Whether it may make one. */
  readonly create?: boolean;
  /** Of a command that takes a new name: the option by which it takes one in use. */
  readonly renewal?: string;
  /** What the work left running: that an answer is waited for is told only once that has ended. */
  readonly meanwhile?: () => Promise<unknown> | undefined;
}

/**
 * As {@link withHome}, for work that needs the keeper alone; that of the home's daemon, where one answers. What begins a connection, or makes
 * calls, opens the home.
 */
export async function withKeeper<T>(
  session: Session,
  work: (keeper: Keeper) => Promise<T>,
  options: HomeOptions & { readonly isLocal?: boolean } = {},
): Promise<T> {
  const isLocal = options.create === true || options.isLocal === true;
  const remote = isLocal ? undefined : await daemonAtHand(session);
  if (remote === undefined) return withHome(session, ({ keeper }) => work(keeper), options);
  // Nothing is lost with its answer: the daemon has recorded what that would tell.
  const onAbort = (): void => void remote.close();
  session.signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await work(remote);
  } catch (error) {
    await suggest(error, remote);
    throw error;
  } finally {
    session.signal.removeEventListener('abort', onAbort);
    await remote.close();
    session.signal.throwIfAborted();
  }
}

/**
 * Opens the home for one piece of work and closes it again, which waits for requests in flight. Warnings and notices go to stderr
 * meanwhile, and why the work failed before that wait. Only what begins a connection may make a home, lest a misspelt one is taken for an empty one.
 */
export async function withHome<T>(
  session: Session,
  work: (home: Home) => Promise<T>,
  { create = false, renewal, meanwhile }: HomeOptions = {},
): Promise<T> {
  const home = await openHome(session, create);
  const { keeper } = home;
  const notices = tellEvents(session, keeper);
  try {
    return await work(home);
  } catch (error) {
    await suggest(error, keeper, renewal);
    notices.drop(error);
    reportFailure(session, error);
    throw error;
  } finally {
    await closeKeeper(session, keeper, meanwhile?.()).finally(notices.tell);
    session.signal.throwIfAborted();
  }
}

/** Opens the home that the global options name, with the key that they name. */
export async function openHome(session: Session, create: boolean): Promise<Home> {
  const key = await readKeySource(session, create);
  return session.openHome({ home: session.globals.home, key, create });
}
