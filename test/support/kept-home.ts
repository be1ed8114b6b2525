import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openRefreshToken } from '../../src/connection/token-set.ts';
import type { ConnectionRecord } from '../../src/connection/record.ts';
import { movableClock } from '../../src/emulator/movable-clock.ts';
import { EvergrantError } from '../../src/errors.ts';
import type { BeginOptions, Connection } from '../../src/keeper-api.ts';
import { openHome, type OpenHome } from '../../src/keeper.ts';
import { systemClock } from '../../src/system/clock.ts';
import {
  CONNECTION,
  startKeeperProcess,
  type KeeperHurt,
  type KeeperProcess,
  type Served,
} from './keeper-process.ts';

/** Tokens as a sign-in yields them; `lifeMs` is the access token's. */
export interface FreshTokens {
  readonly refreshToken: string;
  readonly accessToken: string;
  readonly lifeMs: number;
}

/** What the store holds of the connection, read while no keeper is at it. */
export interface Seen {
  readonly connection: ConnectionRecord;
  /** Opened. */
  readonly refreshToken: string;
  /** Kinds of all notices ever written, oldest first. */
  readonly notices: readonly string[];
  /** Kinds of the sealed leftovers. */
  readonly leftovers: readonly string[];
}

/** A home in a temporary folder with one connection, opened by one keeper after the other. */
export interface KeptHome extends AsyncDisposable {
  readonly path: string;
  /** How far all keepers that are opened from now on are ahead of the machine's clock. */
  aheadMs: number;
  /** Puts new tokens in, as after another sign-in. */
  signIn(tokens: FreshTokens): Promise<void>;
  /** Opens a keeper in this process, lets it work, and closes it, which waits for what is under way. */
  visit<T>(work: (connection: Connection, home: OpenHome) => Promise<T>): Promise<T>;
  /** Asks a new keeper for a token. */
  token(demand?: { readonly timeoutMs?: number }): Promise<Served>;
  /** Looks into the store. */
  look(): Promise<Seen>;
  /** Starts a keeper in another process, whose clocks are `skewMs` ahead of those of the home's others. */
  spawn(hurt?: KeeperHurt & { readonly skewMs?: number }): Promise<KeeperProcess>;
}

/** Makes a home whose connection is of the given registration. @param below - the folder in which it is made. */
export async function makeKeptHome(
  begin: BeginOptions,
  tokens: FreshTokens,
  below = tmpdir(),
): Promise<KeptHome> {
  const folder = await mkdtemp(path.join(below, 'evergrant-fault-'));
  const home = path.join(folder, 'home');
  const open = (): Promise<OpenHome> => {
    const clock = movableClock(systemClock);
    clock.advance(kept.aheadMs);
    return openHome({ home, clock, settings: { requestsPerSecond: 1_000 } });
  };
  const kept: KeptHome = {
    path: home,
    aheadMs: 0,
    signIn: (fresh) =>
      kept.visit(async (_connection, { keeper }) => {
        const { refreshToken, accessToken, lifeMs } = fresh;
        const accessExpiresAt = systemClock.now() + kept.aheadMs + lifeMs;
        const imported = { refreshToken, accessToken, accessExpiresAt };
        await keeper.add(CONNECTION, { ...begin, tokens: imported, replace: true });
      }),
    async visit(work) {
      const opened = await open();
      await using keeper = opened.keeper;
      return await work(keeper.connection(CONNECTION), opened);
    },
    token: (demand) => kept.visit((connection) => served(connection.token(demand))),
    look: async () => {
      const seen = await kept.visit((_connection, opened) => readStore(opened));
      return { ...seen, notices: readNotices(path.join(home, 'store', 'evergrant.db')) };
    },
    spawn: ({ skewMs = 0, ...hurt } = {}) =>
      startKeeperProcess({ home, aheadMs: kept.aheadMs + skewMs }, hurt),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  await kept.signIn(tokens);
  return kept;
}

async function served(token: ReturnType<Connection['token']>): Promise<Served> {
  try {
    const { value, generation } = await token;
    return { value, generation };
  } catch (error) {
    if (!(error instanceof EvergrantError)) throw error;
    return { code: error.code, message: error.message };
  }
}

async function readStore({ store }: OpenHome): Promise<Omit<Seen, 'notices'>> {
  const view = await store.find(CONNECTION);
  if (view === undefined) throw new Error('the connection has vanished');
  const leftovers = await store.leftovers(view.connection.id);
  return {
    connection: view.connection,
    refreshToken: openRefreshToken(store.sealer, view.connection)?.reveal() ?? '',
    leftovers: leftovers.map(({ kind }) => kind),
  };
}

/** Delivered ones too, which the feed alone keeps. */
function readNotices(file: string): readonly string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare("SELECT kind FROM feed WHERE event = 'notice' ORDER BY id").all();
    return rows.map(({ kind }) => String(kind));
  } finally {
    database.close();
  }
}
