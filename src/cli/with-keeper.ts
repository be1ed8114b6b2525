import { NotFoundError } from '../errors.ts';
import type { Keeper } from '../keeper-api.ts';
import { homeFolder } from '../system/home.ts';
import { nearest } from './input/nearest.ts';
import { hint } from './output/failure.ts';
import { tell, warn, type Session } from './session.ts';

const PATIENCE_MS = 1_000;

/**
 * Opens the keeper for one piece of work and closes it again, which waits for requests in flight. Its warnings and notices go to
 * stderr meanwhile.
 */
export async function withKeeper<T>(
  session: Session,
  work: (keeper: Keeper) => Promise<T>,
): Promise<T> {
  const home = homeFolder(session.home, session.environment);
  const keeper = await session.openKeeper({ home });
  const stopTelling = tellEvents(session, keeper);
  try {
    return await work(keeper);
  } catch (error) {
    await suggestName(error, keeper);
    throw error;
  } finally {
    await close(session, keeper).finally(stopTelling);
    session.signal.throwIfAborted();
  }
}

function tellEvents(session: Session, keeper: Keeper): () => void {
  const stops = [
    keeper.on('warning', ({ connection, message }) => {
      warn(session, connection === undefined ? message : `${connection}: ${message}`);
    }),
    keeper.on('notice', ({ connection, message }) => {
      tell(
        session,
        `evergrant: notice: ${connection === undefined ? '' : `${connection}: `}${message}`,
      );
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** The command may be ending because somebody pressed Ctrl-C; then say why it does not end at once. */
async function close(session: Session, keeper: Keeper): Promise<void> {
  const timer = session.clock.timer(PATIENCE_MS, () => {
    tell(
      session,
      'evergrant: waiting for an answer under way to be recorded; it may hold the only copy of a token',
    );
  });
  try {
    await keeper.close();
  } finally {
    timer.cancel();
  }
}

async function suggestName(error: unknown, keeper: Keeper): Promise<void> {
  if (!(error instanceof NotFoundError) || error.code !== 'ERR_CONNECTION_UNKNOWN') return;
  const names = (await keeper.list().catch(() => [])).map(({ name }) => name);
  if (names.length === 0)
    return hint(error, 'there is no connection yet; begin with evergrant connect');
  const close = error.connection === undefined ? undefined : nearest(error.connection, names);
  hint(
    error,
    close === undefined ? 'evergrant list shows all connections' : `did you mean ${close}?`,
  );
}
