import type { DaemonSettings } from '../settings.ts';
import type { Assembly } from './assembly.ts';
import { readReceivers } from './webhooks/receivers.ts';

/**
 * Puts settings in force while a daemon serves. All of them are read before any is taken over.
 *
 * @returns options that changed and take a restart, in words.
 * @throws {@link ConfigurationError} when something cannot be used; then all stays as it was.
 */
export async function reload(
  daemon: Assembly,
  settings: DaemonSettings,
): Promise<readonly string[]> {
  const { ports, webhooks, options } = daemon;
  const receivers = await readReceivers(settings.webhooks, options.environment ?? {});
  const reread = await ports.reread(settings);
  await webhooks.use(receivers);
  reread.takeOver();
  daemon.use(settings);
  return afterRestart(daemon, settings, reread.isSecure);
}

/** What differs from what the daemon listens on, not from what was read last: that may be another that is not in force either. */
function afterRestart(
  { options, ports }: Assembly,
  settings: DaemonSettings,
  isSecure: boolean,
): readonly string[] {
  const isOther = (['socket', 'listen'] as const).filter(
    (option) => settings[option] !== options.settings[option],
  );
  const isTlsOther = ports.isSecure !== undefined && ports.isSecure !== isSecure;
  return [...isOther, ...(isTlsOther ? ['tlsCertificateFile'] : [])].map(
    (option) => `daemon.${option}`,
  );
}
