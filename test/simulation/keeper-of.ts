// Loaded on demand by the real code; here nothing may take real time.
import '../../src/resource/call.ts';
import type { ClientRecord } from '../../src/connection/record.ts';
import type { KeeperEvents } from '../../src/keeper-api.ts';
import { LocalKeeper } from '../../src/keeper/local-keeper.ts';
import { findProvider } from '../../src/providers/providers.ts';
import { resolveProfile, type Profile } from '../../src/providers/profile.ts';
import type { Engine } from '../../src/refresh/engine.ts';
import { Spills } from '../../src/refresh/spill.ts';
import type { ClaimAuthority } from '../../src/store/store.ts';
import type { Fetch } from '../../src/system/fetch.ts';
import { Listeners } from '../../src/system/listeners.ts';
import { silentLog } from '../../src/system/log.ts';
import type { Process } from './process.ts';
import { SimStore } from './sim-store.ts';
import type { World } from './world.ts';

/** The real keeper over a simulated process: only what it asks of the machine is not real. */
export function keeperOf(world: World, process: Process): LocalKeeper {
  const events = new Listeners<KeeperEvents>();
  events.on('refreshed', (set) => {
    world.oracle.store.announced(process, set);
  });
  const closing = new AbortController();
  const leaving = new AbortController();
  const claims = claimsOf(world, process);
  const { storeId, sealer } = world;
  const store = new SimStore<Process>(world.database, process, { sealer, claims, storeId });
  const engine: Engine = {
    store,
    clock: process.clock,
    random: world.rng,
    http: world.net.httpOf(process),
    machine: world.machine.facts(process.pid),
    spills: new Spills(
      '/spills',
      store,
      world.disk.filesOf(process),
      world.disk.reserveOf(process),
    ),
    settings: { lastTry: world.plan.lastTry, requestsPerSecond: 10 },
    profileOf: (client) => profileOf(world, client),
    emit: (event, detail) => {
      if (event === 'warning' || event === 'refresh_failed') {
        world.trace(process.name, `${event}: ${JSON.stringify(detail)}`);
      }
      events.emit(event, detail);
    },
    log: silentLog,
    closing: closing.signal,
    leaving: leaving.signal,
  };
  const keeper = new LocalKeeper({
    engine,
    events,
    closing,
    leaving,
    channel: (notice) =>
      process.io('notifying', world.rng.between(0, 500), () => {
        if (world.faultsOn && world.rng.chance(0.05)) throw new Error('the command failed');
        world.oracle.notices.delivered(notice);
      }),
    transport: apiOf(world, process),
  });
  return keeper;
}

/** The kernel: it knows which processes live, stopped ones included. */
function claimsOf(world: World, process: Process): ClaimAuthority {
  const { rng, machine } = world;
  const owner = {
    ownerId: process.ownerId,
    machineId: 'machine',
    bootId: machine.bootId,
    life: process.ownerId,
    pid: process.pid,
  };
  return {
    identify: () => process.io('identify', rng.between(0, 1), () => owner),
    judge: ({ ownerId }) =>
      process.io('judge', rng.between(0, 2), () => (world.isAlive(ownerId) ? 'alive' : 'dead')),
  };
}

function profileOf(world: World, client: ClientRecord): Profile {
  const known = world.profiles.get(client.id);
  if (known !== undefined) return known;
  const profile = resolveProfile(findProvider(client.provider), client.overrides);
  world.profiles.set(client.id, profile);
  return profile;
}

/** The API that the access tokens are for. */
function apiOf({ rng, oracle, servers }: World, process: Process): Fetch {
  return (_input, init) =>
    process.io('calling the API', rng.spread(1, 2_000), () => {
      const value = new Headers(init?.headers).get('authorization')?.split(' ')[1] ?? '';
      const isAccepted = servers.some((server) => server.accepts(value));
      if (isAccepted) return new Response(null, { status: 200 });
      const isNamed = rng.chance(0.7);
      oracle.calls.rejected(value, isNamed);
      const headers = isNamed ? { 'www-authenticate': 'Bearer error="invalid_token"' } : {};
      return new Response(null, { status: 401, headers });
    });
}
