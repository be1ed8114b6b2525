import type { Command } from 'commander';
import { relativeTime } from './output/relative-time.ts';
import { print, printJson, tell, type Home, type Session } from './session.ts';
import { withHome } from './with-home.ts';

/** Adds `evergrant key`. */
export function addKeyCommand(program: Command, session: Session): void {
  const key = program
    .command('key')
    .summary('show the keys of the store, renew the data key')
    .description(
      'Tokens and secrets are sealed by data keys, and those by a master key that is never in the store: a file by default, a passphrase or ' +
        'an entry of the keychain where --passphrase-file, --ask-passphrase or --keychain was given when the home was made.',
    )
    .addHelpText('after', '\nExample:\n  evergrant key status');
  key
    .command('status')
    .description('Tells where the master key is, and how old the data keys are. Holds no key.')
    .option('--json', 'print JSON; instants are epoch milliseconds')
    .addHelpText('after', '\nExample:\n  evergrant key status --json')
    .action((options: { readonly json?: boolean }) => showStatus(session, options.json === true));
  key
    .command('rotate')
    .description(
      'Seals everything anew under a new data key, while other processes go on working. Interrupted, it is finished by the next time.',
    )
    .addHelpText('after', '\nExample:\n  evergrant key rotate')
    .action(async () => {
      const count = await withHome(session, ({ store }) => store.rotateDataKey());
      tell(session, `connections sealed anew under a new data key: ${String(count)}`);
    });
}

async function showStatus(session: Session, json: boolean): Promise<void> {
  const { status, file } = await withHome(session, async ({ store, paths }: Home) => ({
    status: await store.keyStatus(),
    file: session.globals.keyFile ?? paths.keyFile,
  }));
  const where = status.masterKey === 'file' ? file : undefined;
  if (json) return printJson(session, { ...status, file: where });
  print(session, `master key  ${where === undefined ? status.masterKey : `file ${where}`}`);
  for (const { id, createdAt, retiredAt } of status.dataKeys) {
    const now = session.clock.now();
    const end = retiredAt === undefined ? 'in use' : `retired ${relativeTime(retiredAt, now)}`;
    print(session, `data key    ${id}, made ${relativeTime(createdAt, now)}, ${end}`);
  }
}
