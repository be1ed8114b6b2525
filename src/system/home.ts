import { isAbsolute, join, resolve } from 'node:path';
import { ConfigurationError } from '../errors.ts';

/** Where everything of one home lies. */
export interface HomePaths {
  /** The folder itself; a settings file may lie in it. */
  readonly home: string;
  /** `settings.json`, which need not exist. */
  readonly settingsFile: string;
  /** Folder of the store. */
  readonly store: string;
  /** Folder of answers that the store could not take. */
  readonly spills: string;
  /** Folder of the master key file, another one than the store's. */
  readonly keys: string;
  /** The master key file. */
  readonly keyFile: string;
  /** A small file beside the key, which tells that there was a store and how far it had come. */
  readonly markFile: string;
  /** The Unix socket of a daemon, unless its settings name another. */
  readonly socket: string;
}

/**
 * Where things lie. With a home named by option or `EVERGRANT_HOME`, everything is below it. Otherwise the data is in `evergrant` where the
 * operating system keeps the data of its programs (`XDG_DATA_HOME`, by default `~/.local/share`; on macOS
 * `~/Library/Application Support`) and the key where it keeps their configuration (`XDG_CONFIG_HOME`, by default `~/.config`), so that a
 * copy of the data alone opens nothing.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when no home is named, and neither `HOME` nor the account has an absolute one.
 */
export function homePaths(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): HomePaths {
  const named = nonEmpty(option) ?? nonEmpty(environment['EVERGRANT_HOME']);
  const home = named === undefined ? defaultHome(environment) : placeOf(named);
  const keys = named === undefined ? defaultKeys(environment) : join(home, 'key');
  return {
    home,
    settingsFile: join(home, 'settings.json'),
    store: join(home, 'store'),
    spills: join(home, 'spill'),
    keys,
    keyFile: join(keys, 'master.key'),
    markFile: join(keys, 'store.mark'),
    socket: join(home, 'run', 'evergrant.sock'),
  };
}

/** @throws {@link ConfigurationError} for a relative name in a folder that was removed. */
function placeOf(named: string): string {
  try {
    return resolve(named);
  } catch (cause) {
    throw new ConfigurationError(
      'ERR_CONFIGURATION',
      `the home ${named} lies in the current folder, which does not exist any more; go to another folder, or give its whole path`,
      { cause },
    );
  }
}

/** The folder of connections, as {@link homePaths} finds it. */
export function homeFolder(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return homePaths(option, environment).home;
}

function defaultHome(environment: Readonly<Record<string, string | undefined>>): string {
  if (process.platform === 'darwin') {
    return join(homedir(), 'Library', 'Application Support', 'evergrant');
  }
  const data = absolute(environment['XDG_DATA_HOME']) ?? join(homedir(), '.local', 'share');
  return join(data, 'evergrant');
}

function defaultKeys(environment: Readonly<Record<string, string | undefined>>): string {
  const config = absolute(environment['XDG_CONFIG_HOME']) ?? join(homedir(), '.config');
  return join(config, 'evergrant');
}

/** Asked for when it is needed: loading the module would slow down a process that is told where its home is. */
function homedir(): string {
  const os = process.getBuiltinModule('node:os');
  for (const find of [() => os.homedir(), () => os.userInfo().homedir]) {
    const found = absolute(told(find));
    if (found !== undefined) return found;
  }
  throw new ConfigurationError(
    'ERR_CONFIGURATION',
    'HOME names no absolute folder, and neither does the account; set it, or name a home with --home or EVERGRANT_HOME',
  );
}

/** In a container an account may have no entry, which Node throws about. */
function told(find: () => string): string | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

/** As the XDG Base Directory Specification has it, what is relative is ignored: it would mean another home in every folder. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
