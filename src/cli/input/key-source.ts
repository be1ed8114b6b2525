import type { KeeperOptions } from '../../keeper.ts';
import { listFolder } from '../../system/files.ts';
import { homePaths } from '../../system/home.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { askNewSecret, askSecret } from './ask.ts';
import type { GlobalValues } from './global-options.ts';
import { readSecret } from './secrets.ts';

/**
 * Where the master key is, as options or environment say; undefined for the file at the usual place.
 *
 * @param create - whether a home may be made: a passphrase for a new one is asked for twice, since a slip would lock it for good.
 */
export async function readKeySource(
  session: Session,
  create: boolean,
): Promise<KeeperOptions['key']> {
  const { globals } = session;
  const ways = [
    globals.keyFile,
    globals.passphraseFile ?? globals.passphraseFd ?? globals.passphraseStdin,
    globals.askPassphrase,
    globals.keychain,
  ].filter((way) => way !== undefined);
  if (ways.length > 1) throw new UsageError('give the master key in one way only');
  if (globals.askPassphrase === true) return { passphrase: await ask(session, create) };
  return keySource(session, ways.length === 1 ? globals : fromEnvironment(session));
}

async function keySource(session: Session, values: GlobalValues): Promise<KeeperOptions['key']> {
  if (values.keyFile !== undefined) return { file: values.keyFile };
  if (values.keychain === true) return { keychain: true };
  const passphrase = await readSecret(session, { ...values }, 'passphrase');
  return passphrase === undefined ? undefined : { passphrase };
}

async function ask(session: Session, create: boolean): ReturnType<typeof askSecret> {
  if (session.stdin.isTTY !== true) {
    throw new UsageError(
      'there is no terminal to ask for the passphrase; use --passphrase-file FILE',
    );
  }
  const { store } = homePaths(session.globals.home, session.environment);
  const isNew = create && (await listFolder(store)).length === 0;
  return isNew ? askNewSecret(session, 'passphrase') : askSecret(session, 'passphrase');
}

function fromEnvironment({ environment }: Session): GlobalValues {
  const keyFile = environment['EVERGRANT_KEY_FILE'];
  const passphraseFile = environment['EVERGRANT_PASSPHRASE_FILE'];
  const keychain = environment['EVERGRANT_KEYCHAIN'];
  if (keyFile !== undefined && keyFile !== '') return { keyFile };
  if (passphraseFile !== undefined && passphraseFile !== '') return { passphraseFile };
  return keychain === '1' ? { keychain: true } : {};
}
