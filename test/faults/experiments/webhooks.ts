import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../../src/emulator/seeded-random.ts';
import { openHome, type OpenHome } from '../../../src/keeper.ts';
import type { FeedEvent } from '../../../src/store/access-store.ts';
import type { Random } from '../../../src/system/random.ts';
import {
  hookSecret,
  startHookReceiver,
  type HookReceiver,
  type Reply,
} from '../../support/hook-receiver.ts';
import { quickClock } from '../../support/quick-clock.ts';
import { Findings, type Size } from './findings.ts';

const main = path.join(import.meta.dirname, '../../support/hook-daemon.process.ts');

/** What a daemon of this experiment is told. */
export interface HookDaemonOptions {
  readonly home: string;
  /** Its clock, see {@link quickClock}. */
  readonly times: number;
  readonly since: number;
  /** Its one receiver. */
  readonly url: string;
  readonly secret: string;
}

const SECRET = hookSecret(1);
/** Hours of back-off pass in minutes; the 15 s of an attempt are 750 ms. */
const TIMES = 20;
const CONNECTIONS = 20;
const EVENTS_A_KILL = 50;
/** From the start of a daemon to its end. */
const LONGEST_LIFE_MS = 2_000;
/** For what is left once the receiver is well: back-off of the unlucky. */
const PATIENCE_MS = 600_000;
/** An access token that outlives the experiment, so that nothing is refreshed. */
const LONG_MS = 10 * 86_400_000;

/** How the receiver is for a while; `down` does not listen. */
const MOODS = ['well', 'slow', 'slow', 'failing', 'busy', 'hanging', 'cutting', 'down'] as const;

/**
 * Lets events happen while a daemon that tells them is killed by SIGKILL, over and over, and the receiver fails, hangs, and restarts. In the end the
 * receiver is well, and everything must have come, in order for each connection.
 *
 * @param trials - kills; 50 events for each.
 */
export async function tellThroughKills({ trials, seed }: Size): Promise<Findings> {
  const findings = new Findings('events', 'kills', 'receiver went down', 'told again');
  const random = seededRandom(seed);
  const since = Date.now();
  const clock = quickClock(TIMES, since);
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-hooks-'));
  const home = path.join(folder, 'home');
  await using receiver = await startHookReceiver(SECRET, () => clock.now());
  const options = { home, times: TIMES, since, url: receiver.url, secret: SECRET };
  const opened = await openHome({ home });
  try {
    // The receiver is known before anything happens.
    await endOf(await startOne(options));
    await addConnections(opened, Math.min(CONNECTIONS, trials * EVENTS_A_KILL));
    const over = new AbortController();
    const swinging = swing(receiver, random, findings, over.signal);
    let happened = CONNECTIONS;
    for (let kill = 1; kill <= trials; kill++) {
      const daemon = await startOne(options);
      const until = kill * EVENTS_A_KILL;
      const happening = happen(opened, happened, until, random);
      await delay(random.fraction() * LONGEST_LIFE_MS);
      await endOf(daemon);
      findings.count('kills');
      await happening;
      happened = until;
    }
    over.abort();
    await swinging;
    const last = await startOne(options);
    await settle(opened, receiver);
    await endOf(last);
    judge(opened.store.access.events(0, 100_000), receiver, findings);
    const { waiting, dead } = opened.store.webhooks.counts();
    findings.check(dead === 0 && waiting === 0, 'given up', `${dead} dead, ${waiting} wait`);
  } finally {
    await opened.keeper.close();
    await rm(folder, { recursive: true, force: true });
  }
  return findings;
}

async function startOne(options: HookDaemonOptions): Promise<ChildProcess> {
  const execArgv = ['--conditions=evergrant-test'];
  const child = fork(main, [JSON.stringify(options)], { execArgv });
  const ended = once(child, 'exit').then(() => {
    throw new Error('the daemon ended before it served');
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return child;
}

async function endOf(daemon: ChildProcess): Promise<void> {
  const ended = once(daemon, 'exit');
  daemon.kill('SIGKILL');
  await ended;
}

async function addConnections({ keeper }: OpenHome, howMany: number): Promise<void> {
  for (let i = 0; i < howMany; i++) {
    await keeper.add(nameOf(i), {
      provider: 'generic',
      client: { clientId: 'client', clientSecret: 'secret' },
      overrides: { tokenEndpoint: 'http://127.0.0.1:9/token', insecureLoopback: true },
      tokens: {
        refreshToken: `refresh-${i}`,
        accessToken: `access-${i}`,
        accessExpiresAt: Date.now() + LONG_MS,
      },
    });
  }
}

/** Each pause and each end of one is an event. */
async function happen(
  { keeper }: OpenHome,
  from: number,
  to: number,
  random: Random,
): Promise<void> {
  for (let i = from; i < to; i++) {
    const connection = keeper.connection(nameOf(i % CONNECTIONS));
    const isPaused = Math.floor(i / CONNECTIONS) % 2 === 0;
    await (isPaused ? connection.resume() : connection.pause());
    await delay(random.fraction() * 30);
  }
}

function nameOf(i: number): string {
  return `c${String(i)}`;
}

/** Changes the receiver's mood at random until the signal ends it; then it is well. */
async function swing(
  receiver: HookReceiver,
  random: Random,
  findings: Findings,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const mood = MOODS[Math.floor(random.fraction() * MOODS.length)] ?? 'well';
    receiver.reply = () => replyOf(mood, random);
    if (mood === 'down') {
      findings.count('receiver went down');
      await receiver.stop();
    }
    await delay(100 + random.fraction() * 900);
    if (mood === 'down') await receiver.restart();
  }
  receiver.reply = () => ({ status: 200 });
}

function replyOf(mood: (typeof MOODS)[number], random: Random): Reply {
  switch (mood) {
    case 'failing':
      return { status: random.fraction() < 0.5 ? 500 : 404 };
    case 'busy':
      return { status: 429, headers: { 'retry-after': '5' } };
    case 'hanging':
      return 'hang';
    case 'cutting':
      return 'cut';
    case 'slow':
      return { status: 200, afterMs: random.fraction() * 300 };
    default:
      return { status: 200 };
  }
}

/** Waits until nothing waits any more, which the feed must have been taken for. */
async function settle({ store }: OpenHome, receiver: HookReceiver): Promise<void> {
  const { last } = store.access.eventRange();
  const isDone = (): boolean =>
    store.webhooks.counts().waiting === 0 && !store.webhooks.work('ops', 0).isNew;
  for (let waited = 0; !isDone(); waited += 50) {
    if (waited > PATIENCE_MS)
      throw new Error(`of ${last} events ${receiver.accepted.length} came in time`);
    await delay(50);
  }
}

function judge(events: readonly FeedEvent[], receiver: HookReceiver, findings: Findings): void {
  findings.count('events', events.length);
  const told = new Map<number, number>();
  const lastOf = new Map<string | null, number>();
  for (const { data } of receiver.accepted) {
    told.set(data.id, (told.get(data.id) ?? 0) + 1);
    const last = lastOf.get(data.connection) ?? 0;
    const story = `${data.connection ?? ''}: ${String(data.id)} after ${String(last)}`;
    findings.check(data.id >= last, 'out of order', story);
    lastOf.set(data.connection, data.id);
  }
  for (const { id, event, connection } of events) {
    findings.check(told.has(id), 'not told', `${String(id)}, ${event} of ${connection ?? ''}`);
    findings.count('told again', Math.max(0, (told.get(id) ?? 0) - 1));
  }
  findings.check(receiver.forged.length === 0, 'not signed', String(receiver.forged.length));
}
