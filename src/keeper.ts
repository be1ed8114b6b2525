import { findProvider } from './providers/providers.ts';
import { resolveProfile, type Profile } from './providers/profile.ts';
import type { ClientRecord, ConnectionRecord, Notice } from './connection/record.ts';
import { effectiveRotation, isRepeatable } from './connection/schedule.ts';
import { EvergrantError } from './errors.ts';
import type { Keeper, KeeperEvents, SecretInput } from './keeper-api.ts';
import type { DaemonOption } from './remote/open-remote.ts';
import { LocalKeeper } from './keeper/local-keeper.ts';
import type { Engine } from './refresh/engine.ts';
import { Spills } from './refresh/spill.ts';
import type { ApiAccess } from './resource/exchange.ts';
import { checkSettings, readSettings, type Settings } from './settings.ts';
import type { MasterKeySource } from './store/master-key.ts';
import { openSqliteStore } from './store/sqlite/open.ts';
import type { SqliteStore } from './store/sqlite/sqlite-store.ts';
import { secretOf, wrongArgument } from './system/arguments.ts';
import { checkAuthorities } from './system/authorities.ts';
import { systemClock, type Clock } from './system/clock.ts';
import { runCommand } from './system/command.ts';
import { nodeFetch, type Fetch } from './system/fetch.ts';
import { privateFolder } from './system/files.ts';
import { checkOwnerOnly } from './system/ownership.ts';
import { homePaths, type HomePaths } from './system/home.ts';
import type { Http } from './system/http.ts';
import { Listeners } from './system/listeners.ts';
import { silentLog, type Log } from './system/log.ts';
import { thisMachine } from './system/machine.ts';
import { nodeHttp } from './system/node-http.ts';
import { checkParents } from './system/parents.ts';
import { systemRandom, type Random } from './system/random.ts';

/** Options of {@link openKeeper}; all have defaults. */
export interface KeeperOptions {
  /** Folder of the connections; by default `EVERGRANT_HOME`, else where the operating system keeps the data of programs. */
  readonly home?: string | undefined;
  /**
   * The keeper of a daemon instead of one in this process: `true` by the socket of the home, else its `socket`, or its `url` with a `key`
   * of `evergrant key-for`. Of the other options `home` and `clock` count then.
   */
  readonly daemon?: DaemonOption | undefined;
  /** Where the master key is: by default a file made on first use, apart from the data. */
  readonly key?:
    | { readonly file: string }
    | { readonly passphrase: SecretInput }
    | { readonly keychain: true }
    | undefined;
  /** False: a missing store is an error (`ERR_STORE_MISSING`) instead of being made. By default true. */
  readonly create?: boolean | undefined;
  /** What `settings.json` of the home says otherwise. */
  readonly settings?: Settings | undefined;
  /** Certificates (PEM) trusted besides the system's, for authorization servers and APIs. */
  readonly ca?: readonly string[] | undefined;
  /** Where the keeper tells what happens; by default nowhere. */
  readonly log?: Log | undefined;
  /** Time; for tests. */
  readonly clock?: Clock | undefined;
  /** Randomness; for tests. */
  readonly random?: Random | undefined;
  /** The way to authorization servers; for tests. */
  readonly http?: Http | undefined;
  /** The way to APIs; for tests. */
  readonly fetch?: Fetch | undefined;
}

const NOTIFY_TIMEOUT_MS = 30_000;

/**
 * Opens the keeper of a home: its store, its keys, its connections. Several processes may have the same home open.
 *
 * @throws {@link StoreError} when store or key cannot be used.
 * @throws {@link ConfigurationError} when an option or the settings file is wrong.
 */
export async function openKeeper(options: KeeperOptions = {}): Promise<Keeper> {
  if (options.daemon !== undefined) {
    const { openRemote } = await import('./remote/open-remote.ts');
    return openRemote(options.daemon, pathsOf(options), options.clock ?? systemClock);
  }
  const { keeper } = await openHome(options);
  return keeper;
}

/**
 * A home opened for upkeep. Its store offers, besides what keepers use: `keyStatus()`, `rotateDataKey()`, `backup(file)`, `copyStatus()`,
 * `acceptCopy()` and `findDamage()`. Closing the keeper closes all of it.
 */
export interface OpenHome {
  /** The keeper. */
  readonly keeper: Keeper;
  /** Its store. */
  readonly store: SqliteStore;
  /** Where its files lie. */
  readonly paths: HomePaths;
  /**
   * What calling the API of a connection takes, for those who carry the bytes themselves.
   *
   * @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN`
   */
  api(name: string): Promise<ApiAccess>;
  /**
   * Puts the store under another master key; undefined means the key file at its usual place. A key that lies there already is taken. From
   * then on the home opens with this key; the old one is left where it is, since older backups need it.
   *
   * @throws {@link StoreError} when the new key cannot be made or read; then the old one still opens the home.
   */
  changeMasterKey(key: KeeperOptions['key']): Promise<void>;
}

/** Opens a home as {@link openKeeper} does, and hands out the store as well. */
export async function openHome(options: KeeperOptions = {}): Promise<OpenHome> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  checkAuthorities(options.ca);
  const paths = pathsOf(options);
  const given = await checkSettings(options.settings);
  const create = options.create ?? true;
  checkParents(paths.home);
  await (create ? privateFolder(paths.home) : checkOwnerOnly(paths.home, 'folder'));
  const settings = { ...(await readSettings(paths.settingsFile)), ...given };
  const machine = await thisMachine();
  const masterKey = await keySource(options, paths, create);
  const folder = paths.store;
  await checkOwnerOnly(paths.spills, 'folder');
  const profileOf = profiles();
  const store = await openSqliteStore({
    folder,
    markFile: paths.markFile,
    masterKey,
    create,
    clock,
    random,
    machine,
    isFragile: (client, connection) => isFragile(profileOf, client, connection),
  });
  const events = new Listeners<KeeperEvents>();
  const closing = new AbortController();
  const leaving = new AbortController();
  const engine: Engine = {
    store,
    clock,
    random,
    http: options.http ?? nodeHttp({ ca: options.ca }),
    machine,
    spills: new Spills(paths.spills, store),
    settings: {
      lastTry: settings.lastTry ?? true,
      requestsPerSecond: settings.requestsPerSecond ?? 10,
    },
    profileOf,
    emit: (event, detail) => {
      events.emit(event, detail);
    },
    log: options.log ?? silentLog,
    closing: closing.signal,
    leaving: leaving.signal,
  };
  const channel = noticeChannel(settings.notifyCommand);
  const transport = options.fetch ?? nodeFetch({ ca: options.ca });
  const keeper = new LocalKeeper({ engine, events, channel, transport, closing, leaving });
  const changeMasterKey = async (key: KeeperOptions['key']): Promise<void> =>
    store.changeMasterKey(await keySource({ key }, paths, true));
  return { keeper, store, paths, api: (name) => keeper.api(name), changeMasterKey };
}

function pathsOf({ home }: KeeperOptions): HomePaths {
  if (home === undefined || (typeof home === 'string' && home !== ''))
    return homePaths(home, process.env);
  throw wrongArgument('home is no path; name a folder, or leave it out');
}

async function keySource(
  { key }: KeeperOptions,
  paths: HomePaths,
  create: boolean,
): Promise<MasterKeySource> {
  if (key === undefined) {
    checkParents(paths.keys);
    await (create ? privateFolder(paths.keys) : checkOwnerOnly(paths.keys, 'folder'));
    return { kind: 'file', path: paths.keyFile };
  }
  checkKey(key);
  if ('file' in key) return { kind: 'file', path: key.file };
  if ('passphrase' in key) {
    return { kind: 'passphrase', passphrase: secretOf(key.passphrase, 'passphrase') };
  }
  return { kind: 'keychain' };
}

/** From JavaScript anything may come. */
function checkKey(key: unknown): void {
  if (typeof key === 'object' && key !== null) {
    if ('passphrase' in key || 'keychain' in key) return;
    if ('file' in key && typeof key.file === 'string' && key.file !== '') return;
  }
  throw wrongArgument('key names neither file, passphrase nor keychain');
}

/** Profiles of clients, each resolved once: a client's overrides never change. */
function profiles(): (client: ClientRecord) => Profile {
  const resolved = new Map<string, Profile>();
  return (client) => {
    const known = resolved.get(client.id);
    if (known !== undefined) return known;
    const profile = resolveProfile(findProvider(client.provider), client.overrides);
    resolved.set(client.id, profile);
    return profile;
  };
}

/** A provider that nobody knows any more may have any habit. */
function isFragile(
  profileOf: (client: ClientRecord) => Profile,
  client: ClientRecord,
  connection: ConnectionRecord,
): boolean {
  try {
    return !isRepeatable(effectiveRotation(connection, profileOf(client).rotation));
  } catch (error) {
    if (error instanceof EvergrantError) return true;
    throw error;
  }
}

function noticeChannel(command: readonly string[] | undefined): (notice: Notice) => Promise<void> {
  if (command === undefined) return () => Promise.resolve();
  return (notice) => runCommand(command, `${JSON.stringify(notice)}\n`, NOTIFY_TIMEOUT_MS);
}
