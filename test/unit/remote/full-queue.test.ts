import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Keeper } from '../../../src/keeper-api.ts';
import { openRemote } from '../../../src/remote/open-remote.ts';
import { homePaths } from '../../../src/system/home.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';

vi.setConfig({ testTimeout: 60_000 });

/*
 * More callers than the queue of a daemon's socket holds: Linux refuses the next one at once, where it lets callers of a TCP port wait.
 */

/** Answers all with no connections; its queue is as short as can be. */
const SCRIPT = `
const answer = (request, response) => response.end('{"connections":[]}');
require('node:http').createServer(answer).listen({ path: process.argv[1], backlog: 1 }, () => console.log('listening'));
`;

interface Crowded {
  readonly keeper: Keeper;
  readonly clock: FakeClock;
  /** Lets the server go on, which takes all that wait. */
  resume(): void;
}

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server that is stopped, and so many callers before it that no other finds room. */
async function crowded(): Promise<Crowded> {
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-queue-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const socket = path.join(folder, 'sock');
  const server = spawn(process.execPath, ['-e', SCRIPT, socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  ends.push(() => server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  server.kill('SIGSTOP');
  await fill(socket);
  const clock = fakeClock();
  const keeper = await openRemote({ socket }, homePaths(folder, {}), clock);
  ends.push(() => keeper.close());
  return { keeper, clock, resume: () => server.kill('SIGCONT') };
}

/** Connects until there is no room. */
async function fill(path: string): Promise<void> {
  for (;;) {
    const socket: Socket = connect(path);
    ends.push(() => socket.destroy());
    const failed = await once(socket, 'connect').then(() => undefined, String);
    // Whoever gives up gives no room back until the server has looked.
    socket.on('error', () => undefined);
    if (failed?.includes('EAGAIN') === true) return;
    if (failed !== undefined) throw new Error(failed);
  }
}

/** Lets time pass until something has come. */
async function passing<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const end = (): void => done.abort();
  work.then(end, end);
  while (!done.signal.aborted) {
    await clock.advance(50);
    await wait(2);
  }
  return work;
}

const CALLS: readonly (readonly [string, number, (keeper: Keeper) => Promise<unknown>])[] = [
  ['whoever asks', 2, (keeper) => keeper.list()],
  [
    'whoever calls an API',
    1,
    (keeper) =>
      keeper
        .connection('a')
        .fetch('/')
        .then((it) => it.status),
  ],
];

describe('before a daemon whose queue is full', () => {
  beforeEach(({ skip }) => {
    skip(process.platform !== 'linux', 'this system says nothing of a full queue');
  });

  it.each(CALLS)('%s waits for room', async (_who, timers, call) => {
    const { keeper, clock, resume } = await crowded();
    const asked = call(keeper);
    asked.catch(() => undefined);
    await vi.waitFor(() => expect(clock.pending).toBe(timers), 10_000);
    resume();
    await expect(passing(clock, asked)).resolves.toEqual(expect.anything());
  });

  it.each(CALLS)('%s is told after ten seconds that nothing was sent', async (_who, _, call) => {
    const { keeper, clock } = await crowded();
    await expect(passing(clock, call(keeper))).rejects.toMatchObject({
      code: 'ERR_DAEMON_UNREACHABLE',
      message: expect.stringMatching(
        /^the daemon at \S+ has more callers than it can take; nothing was sent, ask again later$/,
      ),
    });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(10_000);
  });
});
