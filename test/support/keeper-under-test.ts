import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/emulator.ts';
import type { IssuedGrant, LedgerEntry, LedgerFilter } from '../../src/emulator/emulator.ts';
import { seededRandom } from '../../src/emulator/seeded-random.ts';
import { openHome, type KeeperOptions, type OpenHome } from '../../src/keeper.ts';
import type { Connection, ConnectOptions, Keeper, KeeperEvents } from '../../src/keeper-api.ts';
import { perspio } from '../../src/providers/perspio.ts';
import type { ProfileOverrides } from '../../src/providers/profile.ts';
import type { SqliteStore } from '../../src/store/sqlite/sqlite-store.ts';
import type { Clock } from '../../src/system/clock.ts';
import { systemFetch } from '../../src/system/fetch.ts';
import type { Http } from '../../src/system/http.ts';
import { nodeHttp } from '../../src/system/node-http.ts';
import { systemRandom } from '../../src/system/random.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';

/*
 * A keeper with a home of its own, an emulator and one fake clock for both. Sockets and SQLite are real: they need real time, during
 * which the fake clock stands.
 */

/** What happened at one keeper, in order. */
export type Happening = {
  [E in keyof KeeperEvents]: { readonly event: E; readonly detail: KeeperEvents[E] };
}[keyof KeeperEvents];

/** One keeper of the world's home. */
export interface TestKeeper {
  readonly keeper: Keeper;
  readonly store: SqliteStore;
  /** What calling the API of a connection takes. */
  readonly api: OpenHome['api'];
  /** All its events. */
  readonly events: Happening[];
  /** Adds this many milliseconds to what this keeper takes for the wall time. */
  skewMs: number;
}

/** How a connection of a test is made. */
export interface AddTestConnection {
  /** Which keeper adds it; the first by default. */
  readonly by?: TestKeeper;
  /** `generic` by default. */
  readonly provider?: string;
  readonly overrides?: ProfileOverrides;
  readonly clientId?: string;
  readonly clientSecret?: string;
  /** Imports the refresh token alone. */
  readonly withoutAccessToken?: boolean;
  readonly replace?: boolean;
}

/** Tells what became of a promise, without waiting for it. */
export interface Watched<T> {
  readonly promise: Promise<T>;
  state: 'pending' | 'resolved' | 'rejected';
  value: T | undefined;
  error: unknown;
}

/** Life of the access tokens that a world's emulator issues, unless told otherwise. */
export const LIFE_MS = 3_600_000;
/** So long before the true expiry of such a token callers begin to wait for a newer one. */
export const EARLY_MS = 300_000;

/** A home, an emulator and a clock. */
export class World {
  readonly clock: FakeClock;
  readonly emulator: Emulator;
  readonly home: string;
  readonly keepers: TestKeeper[] = [];
  /** Exchanges under way. */
  #busy = 0;
  /** Counts all that begins or ends, since some of it is over before anyone looks. */
  #moves = 0;

  constructor(clock: FakeClock, emulator: Emulator, home: string) {
    this.clock = clock;
    this.emulator = emulator;
    this.home = home;
  }

  /** The keeper opened first. */
  get first(): TestKeeper {
    const [first] = this.keepers;
    if (first === undefined) throw new TypeError('no keeper is open');
    return first;
  }

  /** Opens a keeper on the home, as another process would. */
  async open(options: KeeperOptions = {}): Promise<TestKeeper> {
    const { fraction } = seededRandom(this.keepers.length + 1);
    const events: Happening[] = [];
    const opened: { current?: TestKeeper } = {};
    const clock: Clock = {
      now: () => this.clock.now() + (opened.current?.skewMs ?? 0),
      monotonic: () => this.clock.monotonic(),
      uptimeMs: () => this.clock.uptimeMs(),
      timer: (...args) => this.clock.timer(...args),
    };
    const { keeper, store, api } = await openHome({
      home: this.home,
      clock,
      random: { ...systemRandom, fraction },
      ...options,
      http: this.#watchHttp(options.http ?? nodeHttp()),
      fetch: (input, init) => this.#watch(() => systemFetch(input, init)),
    });
    for (const name of ['transition', 'read', 'due'] as const) this.#count(store, name);
    this.#count(store.claims, 'identify');
    for (const event of EVENTS) {
      keeper.on(event, (detail) => events.push({ event, detail } as Happening));
    }
    opened.current = { keeper, store, api, events, skewMs: 0 };
    this.keepers.push(opened.current);
    return opened.current;
  }

  /** Closes a keeper, letting time pass where closing waits for it. */
  async close(closing: TestKeeper): Promise<void> {
    const index = this.keepers.indexOf(closing);
    if (index >= 0) this.keepers.splice(index, 1);
    await this.during(closing.keeper.close());
  }

  /** Closes every keeper and opens one anew, as a restart of the only process. */
  async restart(options: KeeperOptions = {}): Promise<TestKeeper> {
    for (const keeper of [...this.keepers]) await this.close(keeper);
    return this.open(options);
  }

  /** Imports a grant that the emulator has just issued. */
  async add(
    name: string,
    options: AddTestConnection = {},
  ): Promise<{ readonly connection: Connection; readonly grant: IssuedGrant }> {
    const { clientId = 'perspio-demo' } = options;
    const grant = await this.emulator.issueGrant({ clientId });
    return { connection: await this.import(name, grant, options), grant };
  }

  /** Imports a grant that the emulator issued some time ago. */
  import(name: string, grant: IssuedGrant, options: AddTestConnection = {}): Promise<Connection> {
    const { clientId = 'perspio-demo', clientSecret = 'demo~secret+1' } = options;
    return (options.by ?? this.first).keeper.add(name, {
      provider: options.provider ?? 'generic',
      client: { clientId, clientSecret },
      overrides: this.overrides(options.overrides),
      subscriptionKey: 'demo-subscription-key',
      perspioTenantId: 'in-demo',
      tokens: {
        refreshToken: grant.refreshToken ?? '',
        ...(options.withoutAccessToken !== true && {
          accessToken: grant.accessToken,
          accessExpiresAt: grant.expiresAt,
        }),
      },
      ...(options.replace === true && { replace: true }),
    });
  }

  /** Connects by client credentials. */
  connect(name: string, options: Partial<ConnectOptions> = {}): Promise<Connection> {
    return this.first.keeper.connect(name, {
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
      grant: 'client-credentials',
      scope: ['api://perspiotalk/.default'],
      overrides: this.overrides(),
      ...options,
    });
  }

  /** Points a provider profile to the emulator; refresh tokens stay valid unless told otherwise. */
  overrides(further: ProfileOverrides = {}): ProfileOverrides {
    const { tokenEndpoint, apiBase } = this.emulator;
    return {
      tokenEndpoint,
      insecureLoopback: true,
      rotation: 'reusable',
      clientAuthentication: 'client_secret_post',
      api: {
        origins: [new URL(apiBase).origin],
        base: apiBase,
        ...(perspio.api?.headers && { headers: perspio.api.headers }),
      },
      ...further,
    };
  }

  /** Requests that came to the token endpoint. */
  requests(filter: LedgerFilter = {}): LedgerEntry[] {
    return this.emulator.ledger.entries({ endpoint: 'token', ...filter });
  }

  /** How many requests came to the token endpoint. */
  requestCount(filter: LedgerFilter = {}): number {
    return this.emulator.ledger.count({ endpoint: 'token', ...filter });
  }

  /** Lets time pass on both sides of the wire; what it sets going is finished, as far as it can be, before the clock moves on. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms, () => this.quiet());
  }

  /** Lets real work end while the fake clock stands; a request that the emulator holds, or never answers, is not waited for. */
  async quiet(): Promise<void> {
    let before = this.#moves;
    for (let calm = 0, since = performance.now(); ;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#moves !== before || isSystemBusy()) {
        before = this.#moves;
        calm = 0;
        since = performance.now();
      } else if (++calm >= CALM_TURNS) {
        if (this.#busy <= this.#parked) return;
        if (performance.now() - since > HUNG_MS) return;
      }
    }
  }

  /** Waits for a promise that needs the fake clock to move. Moves it by `stepMs` as long as that is so. */
  async during<T>(promise: Promise<T>, stepMs = 250): Promise<T> {
    const watched = this.watch(promise);
    await this.quiet();
    for (let steps = 0; watched.state === 'pending'; steps++) {
      if (steps > 10_000) throw new Error('this never ends');
      await this.pass(stepMs);
    }
    return promise;
  }

  /** Looks at a promise from outside. */
  watch<T>(promise: Promise<T>): Watched<T> {
    const watched: Watched<T> = { promise, state: 'pending', value: undefined, error: undefined };
    promise.then(
      (value) => Object.assign(watched, { state: 'resolved', value }),
      (error: unknown) => Object.assign(watched, { state: 'rejected', error }),
    );
    return watched;
  }

  /** Ends everything. */
  async end(): Promise<void> {
    this.emulator.faults.clear();
    // Ends what the emulator holds or hangs, so that no keeper waits for it.
    await this.emulator.close();
    for (const { keeper } of this.keepers.splice(0)) {
      await this.during(keeper.close()).catch(() => undefined);
    }
    await rm(this.home, { recursive: true, force: true });
  }

  /** Requests that get no answer, or not yet. */
  get #parked(): number {
    const { faults, ledger } = this.emulator;
    if (this.#busy <= faults.held) return faults.held;
    const hung = ['hang-before-commit', 'hang-after-commit'].map((fault) =>
      ledger.count({ fault }),
    );
    return faults.held + hung.reduce((sum, count) => sum + count, 0);
  }

  #watchHttp(http: Http): Http {
    return {
      connect: async (url, options) => {
        const connection = await this.#watch(() => http.connect(url, options));
        return {
          send: (request, sendOptions) => this.#watch(() => connection.send(request, sendOptions)),
          close: () => {
            connection.close();
          },
        };
      },
      close: () => {
        http.close();
      },
    };
  }

  async #watch<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++;
    this.#moves++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#moves++;
    }
  }

  /** Counts calls of a method. */
  #count<K extends string>(
    owner: Readonly<Record<K, (...args: never[]) => unknown>>,
    name: K,
  ): void {
    const method = owner[name].bind(owner);
    Object.assign(owner, {
      [name]: (...args: never[]) => {
        this.#moves++;
        return method(...args);
      },
    });
  }
}

const EVENTS = ['refreshing', 'refreshed', 'refresh_failed', 'notice', 'warning'] as const;

/** Turns of the event loop without anything to do after which the world counts as quiet. */
const CALM_TURNS = 6;
/** The same in real time while a request is without an answer for no known reason. */
const HUNG_MS = 100;

/** What is open while nothing happens: sockets, timers, and the pipes to processes and to the test runner. Everything else is work. */
const IDLE = /^(TCPSocketWrap|TCPServerWrap|Timeout|Immediate|PipeWrap|TTYWrap|MessagePort)$/;
let companions = 0;

/** Time passes while this many processes more run beside the test, such as a browser. Others are work that is waited for. */
export function runBeside(processes: number): void {
  companions += processes;
}

function isSystemBusy(): boolean {
  const work = process.getActiveResourcesInfo().filter((resource) => !IDLE.test(resource));
  const processes = work.filter((resource) => resource === 'ProcessWrap').length;
  return work.length > processes || processes > companions;
}

/** Gives a test file a way to make worlds that end after each test. */
export function worldFixture(
  common: EmulatorOptions = {},
): (options?: EmulatorOptions) => Promise<World> {
  const worlds: World[] = [];
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.end();
  });
  return async (options = {}) => {
    const clock = fakeClock();
    const emulator = await startEmulator({
      clock,
      opaqueAccessTokens: true,
      accessLifeSeconds: LIFE_MS / 1000,
      ...common,
      ...options,
    });
    // Durable commits cost nothing in memory, and a test makes thousands.
    const folder = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    const world = new World(clock, emulator, await mkdtemp(path.join(folder, 'evergrant-')));
    worlds.push(world);
    await world.open();
    return world;
  };
}
