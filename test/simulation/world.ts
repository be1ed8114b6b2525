import { DataKeys, createDataKey } from '../../src/store/sealing.ts';
import type { LocalKeeper } from '../../src/keeper/local-keeper.ts';
import type { Profile } from '../../src/providers/profile.ts';
import { Database, type Row } from './database.ts';
import { Disk } from './disk.ts';
import { Hazards } from './hazards.ts';
import { keeperOf } from './keeper-of.ts';
import { Machine } from './machine.ts';
import { Net } from './net.ts';
import { Oracle } from './oracle.ts';
import { People } from './people.ts';
import { drawPlan, type ConnectionPlan, type Plan } from './plan.ts';
import { Process } from './process.ts';
import { Rng } from './rng.ts';
import { Scheduler } from './scheduler.ts';
import { Server, type AccessGrant, type RefreshToken } from './server.ts';
import { Trouble } from './trouble.ts';

/** Everything that a run consists of: several keepers over one store, servers, a machine, and who watches them. */
export class World {
  readonly rng: Rng;
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly machine: Machine;
  readonly trouble = new Trouble(this);
  readonly hazards = new Hazards(this);
  readonly disk = new Disk(this);
  readonly net = new Net(this);
  readonly oracle = new Oracle(this);
  readonly people = new People(this);
  readonly database = new Database<Process>((commit) => {
    this.oracle.store.observe(commit);
  });
  readonly storeId = 'store';
  readonly sealer: DataKeys;
  readonly servers: readonly Server[];
  readonly profiles = new Map<string, Profile>();
  /** Living processes and their keepers. */
  readonly keepers = new Map<Process, LocalKeeper>();
  /** While false nothing goes wrong any more. */
  faultsOn = true;
  /** Whether every clock has told the same time so far. */
  clocksAgree: boolean;
  /** Times the machine fell asleep. */
  sleeps = 0;
  readonly #trace: string[] | undefined;
  #pid = 0;

  /** @param trace - gets a line for each thing that happens. */
  constructor(seed: number, trace?: string[]) {
    this.rng = new Rng(seed);
    this.#trace = trace;
    this.plan = drawPlan(this.rng);
    this.scheduler = new Scheduler(this.rng);
    this.machine = new Machine(this.scheduler, this.rng, this.plan.offsetMs);
    this.clocksAgree = this.plan.skewMs === 0;
    this.servers = this.plan.servers.map((plan, i) => new Server(this, `as${String(i)}`, plan));
    const masterKey = this.rng.bytes(32);
    const key = createDataKey(this.rng, masterKey, this.storeId);
    const keys = { first: key, current: key };
    this.sealer = new DataKeys(this.rng, masterKey, this.storeId, keys, () => key);
  }

  trace(actor: string, what: string): void {
    if (this.#trace === undefined) return;
    const seconds = (this.scheduler.now - Date.UTC(2026, 0, 1)) / 1_000;
    this.#trace.push(`${seconds.toFixed(3).padStart(10)} s  ${actor.padEnd(13)} ${what}`);
  }

  /** A new process opens the store. */
  spawn(isBackground = this.rng.chance(this.plan.background)): Process {
    const { skewMs } = this.plan;
    const process = new Process(this, ++this.#pid, this.rng.between(-skewMs, skewMs));
    const keeper = keeperOf(this, process);
    this.keepers.set(process, keeper);
    this.trace(process.name, `starts${isBackground ? ' and renews in the background' : ''}`);
    if (isBackground) keeper.start();
    return process;
  }

  /** A process ends without a word, and another takes its place after a while. */
  crash(process: Process): void {
    if (!process.alive) return;
    process.crash();
    this.keepers.delete(process);
    this.scheduler.after(this.rng.spread(20, 60_000), () => {
      if (this.keepers.size < this.plan.processes) this.spawn();
    });
  }

  stop(process: Process, ms: number): void {
    if (process.stopped) return;
    process.stop();
    this.scheduler.after(ms, () => {
      process.continue();
    });
  }

  suspend(ms: number): void {
    this.sleeps++;
    this.machine.suspend(ms);
  }

  losePower(): void {
    for (const process of [...this.keepers.keys()]) this.crash(process);
    this.database.losePower(this.rng);
    this.disk.losePower();
    this.machine.reboot();
    this.oracle.store.afterPowerLoss();
  }

  /** What the kernel knows. */
  isAlive(ownerId: string): boolean {
    return [...this.keepers.keys()].some((process) => process.ownerId === ownerId);
  }

  /** Processes whose code can run now. */
  get running(): readonly Process[] {
    return [...this.keepers.keys()].filter((process) => process.running);
  }

  keeper(process: Process): LocalKeeper {
    const keeper = this.keepers.get(process);
    if (keeper === undefined) throw new TypeError(`${process.name} is dead`);
    return keeper;
  }

  serverAt(url: URL): Server {
    const found = this.servers.find((server) => new URL(server.url).host === url.host);
    if (found === undefined) throw new TypeError(`there is no server at ${url.href}`);
    return found;
  }

  serverOf({ server }: ConnectionPlan): Server {
    const found = this.servers[server];
    if (found === undefined) throw new TypeError(`there is no server ${String(server)}`);
    return found;
  }

  refreshToken(value: string): RefreshToken | undefined {
    return this.servers.map((server) => server.refreshTokens.get(value)).find(Boolean);
  }

  accessToken(value: string): AccessGrant | undefined {
    return this.servers.map((server) => server.accessTokens.get(value)).find(Boolean);
  }

  /** The connection that a plan became; undefined before it is added and after it is disconnected. */
  rowOf(plan: ConnectionPlan): Row | undefined {
    for (const row of this.database.image.rows.values()) {
      const held = this.oracle.store.held.get(row.connection.id);
      if (held?.refreshToken.family.plan === plan) return row;
    }
    return undefined;
  }
}
