import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import type { Keeper } from '../../src/keeper-api.ts';
import { openRemote } from '../../src/remote/open-remote.ts';
import { homePaths } from '../../src/system/home.ts';
import { fakeClock, type FakeClock } from './fake-clock.ts';

/** Something that listens where a daemon would, and a keeper that takes it for one. */
export interface PretendedDaemon {
  readonly keeper: Keeper;
  /** Connections so far. */
  readonly sockets: readonly Socket[];
  /** The keeper's time. */
  readonly clock: FakeClock;
}

/** Gives a test file a way to start them; they end after each test. */
export function pretendedDaemonFixture(): (answer: RequestListener) => Promise<PretendedDaemon> {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });
  return async (answer) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-pretended-'));
    const socket = path.join(folder, 'sock');
    // Only the keeper ends a connection.
    const server = createServer({ keepAliveTimeout: 0 }, answer);
    const sockets: Socket[] = [];
    server.on('connection', (one) => sockets.push(one));
    server.listen(socket);
    await once(server, 'listening');
    const clock = fakeClock();
    const keeper = await openRemote({ socket }, homePaths(folder, {}), clock);
    ends.push(async () => {
      await keeper.close();
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    });
    return { keeper, sockets, clock };
  };
}
