import {
  AuthorizationRequiredError,
  ConfigurationError,
  EvergrantError,
  NotFoundError,
} from '../errors.ts';
import type { Keeper } from '../keeper-api.ts';
import { daemonAtHand } from './daemon-at-hand.ts';
import { readKeySource } from './input/key-source.ts';
import { nearest } from './input/nearest.ts';
import { hint, reportFailure } from './output/failure.ts';
import { tell, warn, type Home, type Session } from './session.ts';

const PATIENCE_MS = 1_000;

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
    await suggestName(error, remote);
    suggestConsent(error);
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
    await suggestName(error, keeper);
    suggestConsent(error);
    suggestRenewal(error, renewal);
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

interface Notices {
  /** Leaves out what the error says anyway. */
  readonly drop: (error: unknown) => void;
  /** Tells the others, and listens no more. */
  readonly tell: () => void;
}

/** Warnings are told at once. Notices are told at the end, since a command that fails mostly gives the same reason. */
function tellEvents(session: Session, keeper: Keeper): Notices {
  const about = (connection: string | undefined): string =>
    connection === undefined ? '' : `${connection}: `;
  const notices = new Set<string>();
  let reason: string | undefined;
  const stops = [
    keeper.on('warning', ({ connection, message }) => {
      warn(session, `${about(connection)}${message}`);
    }),
    keeper.on('notice', ({ connection, message }) => {
      notices.add(`${about(connection)}${message}`);
    }),
  ];
  return {
    drop: (error) => {
      if (error instanceof EvergrantError) reason = error.message;
    },
    tell: () => {
      for (const stop of stops) stop();
      // Most notices come only now: they are delivered while the keeper closes.
      if (reason !== undefined) notices.delete(reason);
      for (const notice of notices) tell(session, `evergrant: notice: ${notice}`);
    },
  };
}

/**
 * Waits however long an answer takes: ending sooner could lose the only copy of a token. Says so, lest somebody wonders.
 *
 * @param meanwhile - what runs beside it; nobody wonders before that has ended.
 */
export async function closeKeeper(
  session: Session,
  keeper: Keeper,
  meanwhile?: Promise<unknown>,
): Promise<void> {
  const closed = new AbortController();
  if (meanwhile === undefined) tellOfWait(session, closed.signal);
  else void meanwhile.then(() => tellOfWait(session, closed.signal));
  try {
    while (!(await isClosed(keeper)));
  } finally {
    closed.abort();
  }
}

function tellOfWait(session: Session, closed: AbortSignal): void {
  if (closed.aborted) return;
  const timer = session.clock.timer(PATIENCE_MS, () => {
    tell(
      session,
      'evergrant: waiting for an answer under way to be recorded; it may hold the only copy of a token',
    );
  });
  closed.addEventListener('abort', () => timer.cancel());
}

async function isClosed(keeper: Keeper): Promise<boolean> {
  try {
    await keeper.close();
    return true;
  } catch (error) {
    if (error instanceof EvergrantError && error.code === 'ERR_DEADLINE') return false;
    throw error;
  }
}

function suggestConsent(error: unknown): void {
  if (!(error instanceof AuthorizationRequiredError) || error.connection === undefined) return;
  hint(error, `evergrant connect ${error.connection} --reconnect`);
}

function suggestRenewal(error: unknown, renewal: string | undefined): void {
  if (renewal === undefined || !(error instanceof ConfigurationError)) return;
  if (error.code === 'ERR_CONNECTION_EXISTS') hint(error, renewal);
}

async function suggestName(error: unknown, keeper: Keeper): Promise<void> {
  if (!(error instanceof NotFoundError) || error.code !== 'ERR_CONNECTION_UNKNOWN') return;
  const names = (await keeper.list().catch(() => [])).map(({ name }) => name);
  if (names.length === 0)
    return hint(error, 'there is no connection yet; begin with evergrant connect');
  const close = error.connection === undefined ? undefined : nearest(error.connection, names);
  if (close !== undefined) hint(error, `did you mean ${close}?`);
}
