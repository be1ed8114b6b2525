import { EvergrantError } from '../../errors.ts';
import { readSettings } from '../../settings.ts';
import { checkOwnerOnly, joinPath, listFolder } from '../../system/files.ts';
import { failure, ok, warning, type Check, type Finding } from './check.ts';

/** The home folder and what lies in it belong to this user and are closed to others. */
export const homeIsPrivate: Check = {
  name: 'home',
  exitCode: 9,
  async look({ home }) {
    return finding(async () => {
      if ((await checkOwnerOnly(home, 'folder')) === undefined) {
        return [
          warning(`${home} does not exist yet`, 'evergrant connect or evergrant add makes it'),
        ];
      }
      await checkOwnerOnly(joinPath(home, 'evergrant.db'), 'file');
      return ok(`${home}, closed to others`);
    });
  },
};

/** `settings.json` can be read and says nothing wrong. */
export const settings: Check = {
  name: 'settings',
  exitCode: 2,
  look: ({ home }) =>
    finding(async () => {
      const given = Object.keys(await readSettings(joinPath(home, 'settings.json')));
      return ok(given.length === 0 ? 'all at their defaults' : `given: ${given.join(', ')}`);
    }),
};

/** The store opens with its key. */
export const store: Check = {
  name: 'store and key',
  exitCode: 9,
  async look({ keeper }) {
    return keeper instanceof Error ? [failureOf(keeper)] : ok('open');
  },
};

/** No answer waits in a file because the store could not take it. */
export const spills: Check = {
  name: 'spilled answers',
  exitCode: 9,
  async look(patient) {
    return finding(async () => {
      const waiting = await listFolder(joinPath(patient.home, 'spill'));
      if (waiting.length === 0) return ok('none wait');
      return [
        warning(
          `${String(waiting.length)} answers of a server could not be recorded and wait in ${joinPath(patient.home, 'spill')}`,
          'make sure that the disk has room; the next refresh of their connections records them',
        ),
      ];
    });
  },
};

async function finding(look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [failureOf(error)];
  }
}

/** Messages of evergrant's own errors hold the remedy behind the semicolon. */
function failureOf(error: unknown): Finding {
  if (!(error instanceof EvergrantError)) throw error;
  const [fact = error.message, remedy = 'see docs/errors.md'] = error.message.split(/; (.*)/s);
  return failure(fact, `${remedy} (${error.code})`);
}
