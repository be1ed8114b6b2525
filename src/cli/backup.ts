import type { Command } from 'commander';
import { tell, type Home, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withHome } from './with-home.ts';

/** Adds `evergrant backup`. */
export function addBackupCommand(program: Command, session: Session): void {
  program
    .command('backup')
    .summary('copy the store into a file')
    .description(
      'Copies the store, sealed as it is, into one new file, while other processes go on working. The master key is not in it: without a copy of ' +
        'the key, kept elsewhere, a backup opens nothing. Where refresh tokens are good once, those in an old backup are used up.',
    )
    .argument('<file>', 'where to; nothing may lie there')
    .addHelpText('after', '\nExample:\n  evergrant backup /mnt/backup/evergrant-2026-11-24.db')
    .action((file: string) => writeBackup(session, file));
}

async function writeBackup(session: Session, file: string): Promise<void> {
  if (file === '') throw new UsageError('the name of the file is empty');
  const keptElsewhere = await withHome(session, async ({ store, paths }: Home) => {
    await store.backup(file);
    const { masterKey } = await store.keyStatus();
    const keyFile = session.globals.keyFile ?? paths.keyFile;
    return masterKey === 'file' ? `the key in ${keyFile}` : `the ${masterKey}`;
  });
  tell(session, `${file}: written; ${keptElsewhere} opens it and is not in it, keep a copy apart`);
}
