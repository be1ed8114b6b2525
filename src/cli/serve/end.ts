import type { Daemon } from '../../daemon/daemon.ts';
import { EvergrantError } from '../../errors.ts';
import type { Keeper } from '../../keeper-api.ts';
import { sleep, type Clock } from '../../system/clock.ts';
import type { Log } from '../../system/log.ts';
import { exitCodeOf } from '../exit-codes.ts';

/** From the order to end until the end, whatever hangs. */
const END_WITHIN_MS = 30_000;
/** As long of that requests may take. */
const REQUESTS_WITHIN_MS = 20_000;
/** After this the keeper is closed, even if the daemon hangs. */
const DAEMON_WITHIN_MS = 23_000;
/** As much before the end the keeper gives refreshes up, so that it still tells of them. */
const MARGIN_MS = 1_000;

/** What is to end. */
export interface Ending {
  /** What serves. */
  readonly daemon: Pick<Daemon, 'close'>;
  /** What it serves from. */
  readonly keeper: Pick<Keeper, 'close'>;
  /** Time. */
  readonly clock: Clock;
  /** Where it is told how it went. */
  readonly log: Log;
  /** Tells whoever started the process that it ends. */
  tellManager(): Promise<void>;
  /** What the process exits with when something hangs that is no refresh. */
  readonly lateCode: number;
}

/** Ends what serves, then the keeper, whatever becomes of the first. @returns what the process exits with, after 30 s at the latest. */
export async function endServing(ending: Ending): Promise<number> {
  const { clock, log } = ending;
  const over = new AbortController();
  const late = sleep(clock, END_WITHIN_MS, over.signal).then(() => undefined);
  const inOrder = Promise.all([closeBoth(ending), ending.tellManager()]).then(([code]) => code);
  const code = await Promise.race([inOrder, late]);
  over.abort();
  if (code === 0) log.info('ended');
  if (code === undefined)
    log.warn('ended before all was closed; what was not delivered waits in the store');
  return code ?? ending.lateCode;
}

async function closeBoth(ending: Ending): Promise<number> {
  const { daemon, keeper, clock, log } = ending;
  const deadline = clock.monotonic() + END_WITHIN_MS - MARGIN_MS;
  const over = new AbortController();
  const served = await Promise.race([
    outcome(ending, () => daemon.close(REQUESTS_WITHIN_MS)),
    sleep(clock, DAEMON_WITHIN_MS, over.signal).then((isLate) => {
      if (isLate) log.warn('the daemon does not end; the keeper is closed without it');
      return ending.lateCode;
    }),
  ]);
  over.abort();
  const patienceMs = deadline - clock.monotonic();
  return (await outcome(ending, () => keeper.close({ patienceMs }))) || served;
}

/** An answer that is still under way may be the only copy of a token. Its intent is on disk, so the next start knows. */
async function outcome({ log }: Ending, close: () => Promise<void>): Promise<number> {
  try {
    await close();
    return 0;
  } catch (error) {
    if (error instanceof EvergrantError && error.code === 'ERR_DEADLINE') {
      log.warn(
        'ended with a refresh under way; its outcome is uncertain, and the next start goes on from there',
      );
      return 6;
    }
    const reason = error instanceof Error ? error.message : String(error);
    log.warn('could not end in good order', { reason });
    return exitCodeOf(error);
  }
}
