import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startDaemon, type Daemon } from '../../../src/daemon/daemon.ts';
import { openHome, type OpenHome } from '../../../src/keeper.ts';
import type { Http } from '../../../src/system/http.ts';
import { silentLog } from '../../../src/system/log.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { undiciStreaming } from '../../../src/system/undici-streaming.ts';
import { fakeClock, settle, type FakeClock } from '../../support/fake-clock.ts';
import { Findings } from './findings.ts';
import { heapBytes } from '../../support/heap.ts';

/*
 * A daemon that keeps many connections for many hours of a fake clock, at a server whose refresh tokens are good once and whose access tokens live an
 * hour. The store is a real one. What a process loses little by little shows in hours: memory, descriptors, the budget.
 */

const LIFE_MS = 3_600_000;
/** The default of `requestsPerSecond`. */
const BUDGET = 10;
/** What is on the way in an instant may be counted with the next second as well. */
const BURST = 2 * BUDGET;
/** Hours in which caches fill; the slope is measured from then on. */
const WARM_UP = 2;
const MOST_SLOPE = 1_048_576;
const PROMISES = ['expired', 'used twice', 'over the budget', 'grows', 'descriptors'] as const;

/** How much is kept, and for how long. */
export interface Soak {
  /** Connections. */
  readonly connections: number;
  /** Hours on the fake clock, one restart after them not counted. */
  readonly hours: number;
}

/** Lets the hours pass, then restarts the daemon and lets another one pass. */
export async function soak({ connections, hours }: Soak): Promise<Findings> {
  const findings = new Findings('connections', 'hours', 'refreshes', ...PROMISES);
  findings.count('connections', connections);
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-soak-'));
  await using _folder = {
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  const home = path.join(folder, 'home');
  const clock = fakeClock();
  const server = new Server(clock, findings);
  let running = await open(home, clock, server);
  await fill(running, server, connections);
  const memory: number[] = [];
  const descriptors: number[] = [];
  for (let hour = 1; hour <= hours; hour++) {
    await pass(running, clock, findings, hour);
    memory.push(await heapBytes());
    descriptors.push((await readdir('/proc/self/fd')).length);
  }
  judgeGrowth(findings, memory, descriptors);
  await close(running, clock);
  running = await open(home, clock, server);
  await pass(running, clock, findings, hours + 1);
  await close(running, clock);
  return findings;
}

interface Running extends OpenHome {
  readonly daemon: Daemon;
}

async function open(home: string, clock: FakeClock, http: Http): Promise<Running> {
  const opened = await openHome({ home, clock, http });
  const { keeper, store, api } = opened;
  const daemon = await startDaemon({
    ...{ keeper, store, api, clock, settings: {} },
    socket: path.join(home, 'run', 'evergrant.sock'),
    streaming: undiciStreaming(),
    random: systemRandom,
    log: silentLog,
  });
  return { ...opened, daemon };
}

async function close({ daemon, keeper }: Running, clock: FakeClock): Promise<void> {
  const closing = { isOver: false };
  const ended = daemon
    .close(0)
    .then(() => keeper.close())
    .finally(() => {
      closing.isOver = true;
    });
  while (!closing.isOver) await clock.advance(100);
  await ended;
}

async function fill({ keeper }: Running, server: Server, connections: number): Promise<void> {
  for (let i = 0; i < connections; i++) {
    const name = `c${String(i)}`;
    await keeper.add(name, {
      provider: 'generic',
      client: { clientId: 'soak', clientSecret: 'canary.client-secret' },
      overrides: { tokenEndpoint: 'https://as.example/token', rotation: 'single-use' },
      tokens: server.signIn(name),
    });
  }
}

/** An hour, at the end of which the store holds a token that lives for each connection. The server knows of those that ended in between. */
async function pass(
  { store }: Running,
  clock: FakeClock,
  findings: Findings,
  hour: number,
): Promise<void> {
  await clock.advance(LIFE_MS, () => settle(8));
  const rows = await store.list();
  const now = clock.now();
  const ended = rows.filter(
    ({ connection: { tokens } }) => tokens === undefined || tokens.accessExpiresAt <= now,
  );
  findings.check(ended.length === 0, 'expired', `hour ${String(hour)}: ${String(ended.length)}`);
  findings.count('hours');
}

function judgeGrowth(
  findings: Findings,
  memory: readonly number[],
  descriptors: readonly number[],
): void {
  const slope = slopeOf(memory.slice(WARM_UP));
  findings.counted['slope of memory, KiB an hour'] = Math.round(slope / 1_024);
  findings.counted['memory at the end, MiB'] = Math.round((memory.at(-1) ?? 0) / 1_048_576);
  findings.check(slope <= MOST_SLOPE, 'grows', `${String(Math.round(slope))} bytes an hour`);
  const settled = descriptors.slice(1);
  const [least, most] = [Math.min(...settled), Math.max(...settled)];
  findings.check(
    most === least || settled.length === 0,
    'descriptors',
    `${String(least)} to ${String(most)}`,
  );
}

/** Least squares. */
function slopeOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = (values.length - 1) / 2;
  const [over, under] = values.reduce(
    ([above, below], value, i) => [
      above + (i - middle) * (value - mean),
      below + (i - middle) ** 2,
    ],
    [0, 0],
  );
  return under === 0 ? 0 : over / under;
}

/** Answers each request at once. */
class Server implements Http {
  readonly #clock: FakeClock;
  readonly #findings: Findings;
  /** The number of the refresh token that is good, by the name it was issued to. */
  readonly #current = new Map<string, number>();
  /** When the newest access token ends, by the same name. */
  readonly #endsAt = new Map<string, number>();
  #second = 0;
  #inSecond = 0;

  constructor(clock: FakeClock, findings: Findings) {
    this.#clock = clock;
    this.#findings = findings;
  }

  /** What a person's sign-in would bring. */
  signIn(name: string): { refreshToken: string; accessToken: string; accessExpiresAt: number } {
    this.#current.set(name, 1);
    const accessExpiresAt = this.#clock.now() + LIFE_MS;
    this.#endsAt.set(name, accessExpiresAt);
    return { refreshToken: `${name}.1`, accessToken: `at.${name}.1`, accessExpiresAt };
  }

  async connect(): ReturnType<Http['connect']> {
    return {
      send: async ({ body = '' }) => {
        const json = this.#answer(new URLSearchParams(body).get('refresh_token') ?? '');
        const headers = { 'content-type': 'application/json' };
        return { status: 200, headers, body: Buffer.from(JSON.stringify(json)) };
      },
      close: () => undefined,
    };
  }

  close(): void {
    // Nothing is open.
  }

  #answer(presented: string): object {
    const [name = '', number = ''] = presented.split('.');
    const current = this.#current.get(name) ?? 0;
    this.#findings.count('refreshes');
    this.#findings.check(Number(number) === current, 'used twice', presented);
    const now = this.#clock.now();
    this.#findings.check((this.#endsAt.get(name) ?? 0) > now, 'expired', presented);
    this.#countSecond();
    this.#current.set(name, current + 1);
    this.#endsAt.set(name, now + LIFE_MS);
    const token = `${name}.${String(current + 1)}`;
    return {
      ...{ access_token: `at.${token}`, token_type: 'Bearer', expires_in: LIFE_MS / 1_000 },
      refresh_token: token,
    };
  }

  #countSecond(): void {
    const second = Math.floor(this.#clock.monotonic() / 1_000);
    this.#inSecond = second === this.#second ? this.#inSecond + 1 : 1;
    this.#second = second;
    this.#findings.check(this.#inSecond <= BURST, 'over the budget', `second ${String(second)}`);
  }
}
