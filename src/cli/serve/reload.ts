import { isDeepStrictEqual } from 'node:util';
import type { Daemon } from '../../daemon/daemon.ts';
import type { LineLog } from '../../daemon/log.ts';
import type { DaemonSettings, Settings } from '../../settings.ts';

/** Options besides those of the daemon; the keeper takes them when it is opened. */
const OF_THE_KEEPER = ['notifyCommand', 'lastTry', 'requestsPerSecond'] as const;

/** Settings with those of the daemon as the command line changed them. */
export interface ServeSettings extends Settings {
  /** What the daemon goes by. */
  readonly daemon: DaemonSettings;
}

/** What a reload works with. */
export interface ReloadParts {
  /** Takes over what it can. */
  readonly daemon: Pick<Daemon, 'reload'>;
  /** Reads the settings again. @throws as {@link readSettings} */
  readonly read: () => Promise<ServeSettings>;
  /** What the process was started with. */
  readonly inForce: Settings;
  /** Where it is told. */
  readonly log: Pick<LineLog, 'info' | 'warn' | 'form'>;
  /** Aborted when the process is to end; then nothing is taken over any more. */
  readonly signal: AbortSignal;
}

/** Reads the settings again each time it is called, one time after the other, so that those read last stay. Never rejects. */
export function reloader(parts: ReloadParts): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.then(() => reload(parts));
    return last;
  };
}

async function reload({ daemon, read, inForce, log, signal }: ReloadParts): Promise<void> {
  if (signal.aborted) return;
  try {
    const settings = await read();
    const ofDaemon = await daemon.reload(settings.daemon);
    const ofKeeper = OF_THE_KEEPER.filter(
      (option) => !isDeepStrictEqual(settings[option], inForce[option]),
    );
    log.form = settings.daemon.log ?? 'text';
    const waiting = [...ofDaemon, ...ofKeeper].join(', ');
    log.info('settings read again', { after_restart: waiting === '' ? undefined : waiting });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warn('the settings cannot be used; those before stay in force', { reason });
  }
}
