import type { Keeper } from '../keeper-api.ts';
import type { Log } from '../system/log.ts';

/** Tells the log what happens to connections. @returns what ends it. */
export function logEvents(keeper: Keeper, log: Log): () => void {
  const stops = [
    keeper.on('refreshed', ({ connection, generation }) => {
      log.info('refreshed', { connection, generation });
    }),
    keeper.on('refresh_failed', ({ connection, outcome, message }) => {
      log.warn(message, { connection, outcome });
    }),
    keeper.on('warning', ({ connection, message }) => {
      log.warn(message, { connection });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
