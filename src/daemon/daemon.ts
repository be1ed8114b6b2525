import type { DaemonSettings } from '../settings.ts';
import { Assembly } from './assembly.ts';
import { end } from './end.ts';
import type { DaemonOptions } from './options.ts';
import { reload } from './reload.ts';
import { readReceivers } from './webhooks/receivers.ts';

/*
 * One process that keeps everything fresh and answers on a socket. It holds no rule about tokens: those are the keeper's.
 */

/** A running daemon. */
export interface Daemon {
  /** Path of its socket. */
  readonly socket: string;
  /** Address for TCP, such as `https://127.0.0.1:7343`; undefined when there is none. */
  readonly address: string | undefined;
  /**
   * Takes over certificates, names, the size of the audit, the calls of a key and the receivers of webhooks.
   *
   * @returns options that changed and take a restart, in words.
   * @throws {@link ConfigurationError} when something cannot be used; then all stays as it was.
   */
  reload(settings: DaemonSettings): Promise<readonly string[]>;
  /** Takes no more requests, lets those under way end for `patienceMs`, and files what waits. The keeper is not closed. */
  close(patienceMs: number): Promise<void>;
}

/**
 * Starts a daemon: listens, and begins to renew in the background.
 *
 * @throws as {@link OwnSocket.open}, {@link Ports.open} and {@link readReceivers}; then nothing listens.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { settings, keeper, environment = {} } = options;
  const parts = new Assembly(options);
  const { ownSocket, ports, webhooks, socket } = parts;
  const receivers = await readReceivers(settings.webhooks, environment);
  await ownSocket.open();
  try {
    await ports.open(settings);
    await webhooks.use(receivers);
  } catch (error) {
    const listeners = [ownSocket, ...(await ports.listeners())];
    await Promise.all(listeners.map((listener) => listener.close(AbortSignal.abort())));
    throw error;
  }
  keeper.start();
  return {
    socket,
    address: ports.address,
    reload: (next) => reload(parts, next),
    close: (patienceMs) => end(parts, patienceMs),
  };
}
