import { EvergrantError } from '../../errors.ts';
import { readSettings } from '../../settings.ts';
import { joinPath, listFolder } from '../../system/files.ts';
import { checkOwnerOnly } from '../../system/ownership.ts';
import { checkParents } from '../../system/parents.ts';
import { failure, failureOf, finding, inOpenHome, ok, warning, type Check } from './check.ts';

/** The folders and files of the home belong to this user and are closed to others. */
export const homeIsPrivate: Check = {
  name: 'home',
  exitCode: 9,
  look: ({ paths }) =>
    finding(async () => {
      for (const folder of [paths.home, paths.keys]) checkParents(folder);
      if ((await checkOwnerOnly(paths.home, 'folder')) === undefined) {
        return [
          warning(
            `${paths.home} does not exist yet`,
            'evergrant connect or evergrant add makes it',
          ),
        ];
      }
      await checkOwnerOnly(paths.store, 'folder');
      await checkOwnerOnly(joinPath(paths.store, 'evergrant.db'), 'file');
      await checkOwnerOnly(paths.keys, 'folder');
      await checkOwnerOnly(paths.keyFile, 'file');
      return ok(`${paths.home}, closed to others`);
    }),
};

/** `settings.json` can be read and says nothing wrong. */
export const settings: Check = {
  name: 'settings',
  exitCode: 2,
  look: ({ paths }) =>
    finding(async () => {
      const given = Object.keys(await readSettings(paths.settingsFile));
      return ok(given.length === 0 ? 'all at their defaults' : `given: ${given.join(', ')}`);
    }),
};

/** The store opens with its key, and takes writes. */
export const store: Check = {
  name: 'store and key',
  exitCode: 9,
  async look({ home }) {
    if (!(home instanceof Error)) {
      return finding(async () => {
        await home.store.checkWritable();
        const { masterKey, dataKeys } = await home.store.keyStatus();
        return ok(`open, master key by ${masterKey}, data keys: ${String(dataKeys.length)}`);
      });
    }
    if (home instanceof EvergrantError && home.code === 'ERR_STORE_MISSING') {
      return [warning('there is no store yet', 'evergrant connect or evergrant add makes it')];
    }
    return [failureOf(home)];
  },
};

/** Everything in the store can be read. */
export const damage: Check = {
  name: 'damage',
  exitCode: 9,
  look: (patient) =>
    inOpenHome(patient, async ({ store: open }) => {
      const found = await open.findDamage();
      if (found.length === 0) return ok('everything in the store can be read');
      const remedy = 'restore a backup; nothing was changed';
      return found.map((line) => failure(line.replace(/;[^;]*$/s, ''), remedy));
    }),
};

/** The store is the original, or the operator has accepted the copy. */
export const copies: Check = {
  name: 'copied store',
  exitCode: 9,
  look: (patient) =>
    inOpenHome(patient, async ({ store: open }) => {
      const { unconfirmed } = await open.copyStatus();
      if (unconfirmed === undefined) return ok('it is where it was');
      return [
        warning(
          `the store was copied or restored (${unconfirmed.because}), so connections are held whose refresh token may be used up`,
          'if nothing else uses these connections any more: evergrant doctor --accept-copy; otherwise connect them again',
        ),
      ];
    }),
};

/** No answer waits in a file because the store could not take it. */
export const spills: Check = {
  name: 'spilled answers',
  exitCode: 9,
  look: ({ paths }) =>
    finding(async () => {
      const files = await listFolder(paths.spills);
      const waiting = files.filter((name) => name.endsWith('.spill'));
      if (waiting.length === 0) return ok('none wait');
      return [
        warning(
          `answers of a server that could not be recorded wait in ${paths.spills}: ${String(waiting.length)}`,
          'make sure that the disk has room; the next refresh of their connections records them',
        ),
      ];
    }),
};

const MOST_NOTICES = 100;

/** Nobody waits for a message that could not be delivered. */
export const notices: Check = {
  name: 'notices',
  exitCode: 9,
  look: (patient) =>
    inOpenHome(patient, async (home) => {
      // One that could not be delivered stays reserved for a while, and waits all the same.
      const waiting = await home.store.pendingNotices(Infinity, MOST_NOTICES);
      const [first] = waiting;
      if (first === undefined) return ok('none wait');
      return [
        warning(
          `messages that were not delivered: ${String(waiting.length)}, the oldest: ${first.message}`,
          'check notifyCommand in settings.json; they are tried again',
        ),
      ];
    }),
};
