import type { Command } from 'commander';
import { readSettings } from '../settings.ts';
import { checkOwnerOnly } from '../system/ownership.ts';
import { homePaths } from '../system/home.ts';
import { print, printJson, type Session } from './session.ts';

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
      'Reads the settings as every command does, and the certificates and secrets that they name. Exits with 2, naming line and option, when something is wrong.',
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
  const { daemon = {} } = settings;
  if (daemon.listen !== undefined) {
    const { readAddress, readTls } = await import('../daemon/tcp.ts');
    await readTls(daemon, readAddress(daemon.listen));
  }
  if (daemon.webhooks !== undefined) {
    const { readReceivers } = await import('../daemon/webhooks/receivers.ts');
    await readReceivers(daemon.webhooks, session.environment);
  }
  if (json) return printJson(session, settings);
  const isThere = (await checkOwnerOnly(settingsFile, 'file')) !== undefined;
  print(
    session,
    isThere ? `${settingsFile}: in order` : `${settingsFile}: not there; all is at its default`,
  );
}
