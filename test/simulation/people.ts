import type { AccessToken } from '../../src/access-token.ts';
import type { AddOptions } from '../../src/keeper-api.ts';
import type { LocalKeeper } from '../../src/keeper/local-keeper.ts';
import type { Call, CallKind } from './call-judge.ts';
import type { ConnectionPlan } from './plan.ts';
import type { Process } from './process.ts';
import type { Mood } from './server.ts';
import type { World } from './world.ts';

const CALLERS = { token: 12, 'demanding token': 1, fetch: 3, 'refresh due': 1.5 } as const;
const ADMINISTRATORS = {
  refresh: 3,
  'refresh anyway': 1.5,
  pause: 1.5,
  resume: 3,
  rename: 1,
  reconnect: 2,
  disconnect: 1,
  close: 2,
  'set secret': 2,
  'expire secret': 0.7,
  revoke: 0.7,
  mood: 3,
  'cut the network': 2,
  'set the clock': 1,
} as const;

/** Programs that want tokens, and people who look after connections and servers. */
export class People {
  readonly #world: World;
  #names = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Goes on acting until nothing goes wrong any more. */
  begin(): void {
    const { scheduler, rng, plan } = this.#world;
    const next = (): void => {
      if (!this.#world.faultsOn) return;
      this.#act();
      scheduler.after(rng.exponential(plan.pauseMs), next);
    };
    scheduler.after(1, next);
  }

  /** Somebody calls a keeper, and what becomes of it is judged. */
  call<T>(
    process: Process,
    kind: CallKind,
    name: string,
    make: (keeper: LocalKeeper) => Promise<T>,
    { timeoutMs = 60_000, onValue }: { timeoutMs?: number; onValue?: (value: T) => void } = {},
  ): Call {
    const { calls } = this.#world.oracle;
    const call = calls.begin(process, kind, name, timeoutMs);
    this.#world.trace(process.name, `is asked: ${kind} ${name}`);
    make(this.#world.keeper(process)).then(
      (value) => {
        if (onValue === undefined) calls.finished(call);
        else onValue(value);
      },
      (error: unknown) => {
        calls.failed(call, error);
      },
    );
    return call;
  }

  /** Asks for a token. */
  askToken(process: Process, name: string, minLifeMs?: number, timeoutMs = 30_000): Call {
    const { oracle, rng, scheduler, faultsOn } = this.#world;
    const ends = new AbortController();
    const call: Call = this.call<AccessToken>(
      process,
      minLifeMs === undefined ? 'token' : 'demanding token',
      name,
      (keeper) =>
        keeper.connection(name).token({
          timeoutMs,
          signal: ends.signal,
          ...(minLifeMs !== undefined && { minLifeMs }),
        }),
      {
        timeoutMs,
        onValue: (token) => {
          oracle.calls.returned(call, token);
        },
      },
    );
    if (faultsOn && rng.chance(0.1)) {
      scheduler.after(rng.spread(1, 20_000), () => {
        if (call.done || !process.running) return;
        call.aborted = true;
        ends.abort();
      });
    }
    return call;
  }

  /** A person consents, and the keeper is given what came of it. */
  connect(process: Process, plan: ConnectionPlan, existing?: string): void {
    const { rng } = this.#world;
    const server = this.#world.serverOf(plan);
    const { family, refreshToken, access } = server.consent(plan);
    const name = existing ?? `c${String(this.#names++)}`;
    const tokens = rng.chance(0.7)
      ? {
          refreshToken,
          accessToken: access.value,
          accessExpiresAt: process.clock.now() + access.lifeMs,
        }
      : { refreshToken };
    this.#world.trace('people', `consent to family ${String(family.index)} for ${name}`);
    const options: AddOptions = {
      provider: 'generic',
      client: { clientId: server.clientId, clientSecret: server.secret },
      overrides: {
        tokenEndpoint: server.url,
        rotation: plan.rotation,
        ...(plan.rotation === 'grace' && { graceMs: plan.graceMs }),
        clientAuthentication: 'client_secret_post',
        api: { origins: ['https://api.example'], base: 'https://api.example/' },
        ...(server.plan.revocationEndpoint && {
          revocationEndpoint: server.url.replace('/token', '/revoke'),
        }),
      },
      tokens,
      ...(existing !== undefined && { replace: true }),
    };
    this.call(process, 'other', name, (keeper) => keeper.add(name, options));
  }

  /** The operator replaces the secret of a client. */
  setSecret(process: Process, plan: ConnectionPlan): void {
    const { clientId, secret, url } = this.#world.serverOf(plan);
    this.call(process, 'other', clientId, (keeper) =>
      keeper.setClientSecret(clientId, secret, { tokenEndpoint: url }),
    );
  }

  /** Perhaps somebody does something to a connection while its request is under way. */
  meddle(target: ConnectionPlan | undefined): void {
    const { rng, scheduler, plan, trouble } = this.#world;
    if (target === undefined || !this.#world.faultsOn || !rng.chance(plan.meddling)) return;
    scheduler.after(rng.exponential(plan.net.latencyMs), () => {
      const process = this.#anyProcess();
      const name = this.#world.rowOf(target)?.connection.name;
      if (!this.#world.faultsOn || process === undefined || name === undefined) return;
      if (rng.chance(0.3))
        trouble.begin(rng.pick(['full', 'unreachable']), rng.spread(100, 120_000));
      else if (plan.administration > 0) this.#administer(process, target, name);
    });
  }

  #act(): void {
    const { rng, plan } = this.#world;
    const process = this.#anyProcess();
    if (process === undefined) return;
    const target = rng.pick(plan.connections);
    const name = this.#world.rowOf(target)?.connection.name;
    if (name === undefined) this.connect(process, target);
    else if (rng.chance(plan.administration)) this.#administer(process, target, name);
    else this.#use(process, target, name);
  }

  #anyProcess(): Process | undefined {
    const running = this.#world.running.filter(({ closing }) => !closing);
    return running.length === 0 ? undefined : this.#world.rng.pick(running);
  }

  #use(process: Process, { lifeMs }: ConnectionPlan, name: string): void {
    const { rng, oracle } = this.#world;
    switch (rng.weighted(CALLERS)) {
      case 'demanding token':
        this.askToken(process, name, rng.between(1, lifeMs * 0.9));
        break;
      case 'fetch': {
        const call: Call = this.call(
          process,
          'fetch',
          name,
          (keeper) => keeper.connection(name).fetch('things'),
          { onValue: () => oracle.calls.finished(call) },
        );
        break;
      }
      case 'refresh due':
        this.call(process, 'other', '', (keeper) => keeper.refreshDue());
        break;
      default:
        this.#askSome(process, name);
    }
  }

  #askSome(process: Process, name: string): void {
    const { rng } = this.#world;
    const times = rng.chance(0.2) ? rng.between(2, 6) : 1;
    for (let i = 0; i < times; i++) {
      const timeoutMs = rng.chance(0.2) ? rng.pick([0, 10, 1_000, 90_000]) : 30_000;
      this.askToken(process, name, undefined, timeoutMs);
    }
  }

  #administer(process: Process, target: ConnectionPlan, name: string): void {
    const { rng } = this.#world;
    const server = this.#world.serverOf(target);
    const act = rng.weighted(ADMINISTRATORS);
    switch (act) {
      case 'refresh':
      case 'refresh anyway':
        this.call(process, act, name, (keeper) =>
          keeper.connection(name).refresh({ anyway: act === 'refresh anyway' }),
        );
        break;
      case 'pause':
        this.call(process, 'other', name, (keeper) => keeper.connection(name).pause());
        break;
      case 'resume':
      case 'disconnect':
        this.call(
          process,
          act,
          name,
          (keeper) => keeper.connection(name)[act]() as Promise<unknown>,
        );
        break;
      case 'rename':
        this.call(process, 'other', name, (keeper) =>
          keeper.connection(name).rename(`c${String(this.#names++)}`),
        );
        break;
      case 'reconnect':
        this.connect(process, target, name);
        break;
      case 'close':
        this.#close(process);
        break;
      case 'set secret':
        this.setSecret(process, target);
        break;
      case 'expire secret':
        server.secret = `secret-${rng.hex()}`;
        this.#world.trace(server.clientId, 'its secret was replaced');
        break;
      case 'revoke':
        this.#revoke(target);
        break;
      default:
        this.#disturb(target, act);
    }
  }

  #disturb(
    target: ConnectionPlan,
    act: 'mood' | 'cut the network' | 'set the clock' | undefined,
  ): void {
    const { rng, scheduler, net, hazards, plan } = this.#world;
    const server = this.#world.serverOf(target);
    const forMs = rng.spread(500, 600_000);
    if (act === 'mood') {
      server.mood = rng.pick<Mood>(['failing', 'throttling']);
      this.#world.trace(server.clientId, `is ${server.mood} for ${String(forMs)} ms`);
      scheduler.after(forMs, () => void (server.mood = 'well'));
    }
    if (act === 'cut the network') {
      net.up = false;
      this.#world.trace('net', `down for ${String(forMs)} ms`);
      scheduler.after(forMs, () => void (net.up = true));
    }
    if (act === 'set the clock' && plan.hazards.weights.clock > 0) hazards.jumpClock();
  }

  #revoke(target: ConnectionPlan): void {
    const row = this.#world.rowOf(target);
    const held = row && this.#world.oracle.store.held.get(row.connection.id);
    if (held === undefined) return;
    held.refreshToken.family.revoked = true;
    this.#world.trace('people', `revoke family ${String(held.refreshToken.family.index)}`);
  }

  /** SIGTERM: the process ends once its keeper is closed. */
  #close(process: Process): void {
    const { keepers } = this.#world;
    const keeper = this.#world.keeper(process);
    process.closing = true;
    this.#world.trace(process.name, 'is told to end');
    const end = (): void => {
      if (!keepers.has(process)) return;
      this.#world.trace(process.name, 'ends');
      this.#world.crash(process);
    };
    const again = (): void => void keeper.close().then(end, again);
    again();
  }
}
