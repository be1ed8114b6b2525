import type { Command } from 'commander';
import { ConfigurationError } from '../errors.ts';
import { readSettings, type Settings } from '../settings.ts';
import { readPrivateFile } from '../system/files.ts';
import { homePaths } from '../system/home.ts';
import { faultOfProgram } from './input/notify-program.ts';
import { placer } from './output/settings-place.ts';
import { print, printJson, warn, type Session } from './session.ts';

/** Adds `evergrant config`. */
export function addConfigCommand(program: Command, session: Session): void {
  const config = program
    .command('config')
    .summary('check the settings')
    .description('Checks settings.json of the home, which every command and the daemon read.')
    .addHelpText('after', '\nExample:\n  evergrant config check');
  config
    .command('check')
    .description(
      'Reads the settings as every command does, and the certificates and secrets that they name. Exits with 2, naming line and option, when something is wrong, and with 9 when others can open one of the files.',
    )
    .option('--json', 'print the settings as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  evergrant config check && systemctl --user reload evergrant',
    )
    .action((options: { readonly json?: boolean }) => check(session, options.json === true));
}

async function check(session: Session, json: boolean): Promise<void> {
  const { settingsFile } = homePaths(session.globals.home, session.environment);
  const settings = await readSettings(settingsFile);
  const bytes = await readPrivateFile(settingsFile);
  const place = placer(settingsFile, Buffer.from(bytes ?? []).toString('utf8'));
  const warnings = [...(await checkParts(settings, session, place)), ...idleParts(settings)];
  for (const warning of warnings) warn(session, place(warning));
  if (json) return printJson(session, settings);
  const state = warnings.length === 0 ? 'in order' : 'in order but for the warnings';
  print(
    session,
    bytes === undefined
      ? `${settingsFile}: not there; all is at its default`
      : `${settingsFile}: ${state}`,
  );
}

/** @returns what is odd. @throws {@link ConfigurationError} for what is wrong. */
async function checkParts(
  settings: Settings,
  session: Session,
  place: (message: string) => string,
): Promise<readonly string[]> {
  try {
    await checkFiles(settings, session);
    return checkCommand(settings, session);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(error.code, place(error.message));
  }
}

async function checkFiles({ daemon = {} }: Settings, { environment }: Session): Promise<void> {
  const { readAddress } = await import('../daemon/tcp.ts');
  const { readMaterial, readTls } = await import('../daemon/tls-material.ts');
  await (daemon.listen === undefined
    ? readMaterial(daemon)
    : readTls(daemon, readAddress(daemon.listen)));
  const { readReceivers } = await import('../daemon/webhooks/receivers.ts');
  await readReceivers(daemon.webhooks, environment);
}

function checkCommand({ notifyCommand }: Settings, { environment }: Session): readonly string[] {
  const [program] = notifyCommand ?? [];
  if (program === undefined) return [];
  const found = faultOfProgram(program, environment['PATH'] ?? '');
  if (found === undefined) return [];
  const message = `notifyCommand ${found.fault}`;
  if (!found.runs) throw new ConfigurationError('ERR_CONFIGURATION', message);
  return [message];
}

/** No fault, since `--listen` may be in the unit that starts the daemon. */
function idleParts({ daemon = {} }: Settings): readonly string[] {
  if (daemon.listen !== undefined) return [];
  return (['publicUrl', 'hosts', 'tlsCertificateFile'] as const)
    .filter((option) => daemon[option] !== undefined)
    .map((option) => `daemon.${option} does nothing without daemon.listen, or serve --listen`);
}
