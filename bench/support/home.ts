import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { movableClock } from '../../src/emulator/movable-clock.ts';
import type { Connection, Keeper } from '../../src/keeper-api.ts';
import { openKeeper } from '../../src/keeper.ts';
import { systemClock } from '../../src/system/clock.ts';
import { accessToken, refreshToken } from './tokens.ts';

/*
 * Keepers as a service has them: a home on this machine's disk, every option at its default, but for the budget of requests, which would
 * be what is measured.
 */

/** An open keeper. */
export interface BenchKeeper {
  /** The keeper. */
  readonly keeper: Keeper;
  /** Moves both its clocks ahead. */
  advance(ms: number): void;
}

/** What a connection of a benchmark is made of. */
export interface BenchConnection {
  /** Where it refreshes. */
  readonly tokenEndpoint: string;
  /** What becomes of its refresh tokens; each good once by default, which is what costs most. */
  readonly rotation?: 'single-use' | 'reusable';
  /** Remaining life of its access token; an hour by default. */
  readonly lifeMs?: number;
}

const REQUESTS_PER_SECOND = 10_000;
const HOUR_MS = 3_600_000;

/** Makes a folder on the disk, where a durable write costs what it costs. */
export function makeHome(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'evergrant-bench-'));
}

/** Removes a folder that {@link makeHome} made. */
export function removeHome(home: string): Promise<void> {
  return rm(home, { recursive: true, force: true });
}

/** Opens a keeper on a home. */
export async function openBenchKeeper(home: string): Promise<BenchKeeper> {
  const clock = movableClock(systemClock);
  const keeper = await openKeeper({
    home,
    clock,
    settings: { requestsPerSecond: REQUESTS_PER_SECOND },
  });
  return { keeper, advance: (ms) => clock.advance(ms) };
}

/** Adds `count` connections, named by {@link nameOf}, and hands them out. */
export async function addConnections(
  keeper: Keeper,
  count: number,
  { tokenEndpoint, rotation = 'single-use', lifeMs = HOUR_MS }: BenchConnection,
): Promise<readonly Connection[]> {
  const add = (i: number): Promise<Connection> =>
    keeper.add(nameOf(i), {
      provider: 'generic',
      client: { clientId: 'bench', clientSecret: 'the secret of the bench' },
      overrides: { tokenEndpoint, rotation, insecureLoopback: true },
      tokens: {
        refreshToken: refreshToken(i),
        accessToken: accessToken(i),
        accessExpiresAt: Date.now() + lifeMs,
      },
    });
  const added: Connection[] = [];
  const BATCH = 5_000;
  for (let from = 0; from < count; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => add(from + i));
    added.push(...(await Promise.all(batch)));
  }
  return added;
}

/** Name of the connection with this number. */
export function nameOf(i: number): string {
  return `tenant-${String(i)}`;
}
