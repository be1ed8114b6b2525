import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigurationError } from '../errors.ts';
import type { Keeper } from '../keeper-api.ts';
import type { DaemonSettings } from '../settings.ts';
import type { ApiAccess } from '../resource/exchange.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Random } from '../system/random.ts';
import type { Streaming } from '../system/streaming.ts';
import { Audit, DRAWS_KEPT } from './access/audit.ts';
import { Rates } from './access/rate.ts';
import { CALLS_PER_KEY, CallsUnderWay } from './access/under-way.ts';
import { Latencies } from './browser/latencies.ts';
import { Sessions } from './browser/sessions.ts';
import { Feed } from './events/feed.ts';
import { Standings } from './standing.ts';
import { createApplication, type Application, type Origin } from './application.ts';
import { SOCKET_HOSTS } from './http/hosts.ts';
import { createListener, type Listener, type TlsMaterial } from './http/listener.ts';
import { Metrics } from './metrics/metrics.ts';
import { OwnSocket } from './own-socket.ts';
import type { DaemonParts } from './parts.ts';
import type { DaemonStore } from './store.ts';
import { allRoutes } from './routes/routes.ts';

import { undiciStreaming } from '../system/undici-streaming.ts';
import { readReceivers, type Environment } from './webhooks/receivers.ts';
import { Webhooks } from './webhooks/webhooks.ts';
import {
  checkNames,
  hostsOf,
  listenOnTcp,
  readAddress,
  readMaterial,
  readTls,
  type TcpAddress,
} from './tcp.ts';

/*
 * One process that keeps everything fresh and answers on a socket. It holds no rule about tokens: those are the keeper's.
 */

/** What a daemon is made of. */
export interface DaemonOptions {
  /** The running system; its background renewal is started here, and it is closed by whoever opened it. */
  readonly keeper: Keeper;
  /** Its store. */
  readonly store: DaemonStore;
  /** What calling the API of a connection takes. */
  api(name: string): Promise<ApiAccess>;
  /** The way to APIs; closed with the daemon. */
  readonly streaming: Streaming;
  /** The way to receivers of webhooks, closed with the daemon; by default one that takes private addresses, for the operator named them. */
  readonly hooks?: Streaming | undefined;
  /** Variables in which the settings may say that secrets are; by default none. */
  readonly environment?: Environment | undefined;
  /** What it listens on. */
  readonly settings: DaemonSettings;
  /** Path of the Unix socket, unless the settings name another. */
  readonly socket: string;
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** Where it tells what happens. */
  readonly log: Log;
  /** Requests a second that a token endpoint is sent at most; by default 10. */
  readonly requestsPerSecond?: number | undefined;
  /** Folder of the built dashboard; by default where the package has it. */
  readonly dashboard?: string | undefined;
  /** Checks answers against their schemas; for tests. */
  readonly checkAnswers?: boolean;
}

/** A running daemon. */
export interface Daemon {
  /** Path of its socket. */
  readonly socket: string;
  /** Address for TCP, such as `https://127.0.0.1:7343`; undefined when there is none. */
  readonly address: string | undefined;
  /**
   * Takes over certificates, names, the size of the audit, the calls of a key and the receivers of webhooks.
   *
   * @returns options that changed and take a restart, in words.
   * @throws {@link ConfigurationError} when something cannot be used; then all stays as it was.
   */
  reload(settings: DaemonSettings): Promise<readonly string[]>;
  /** Takes no more requests, lets those under way end for `patienceMs`, and files what waits. The keeper is not closed. */
  close(patienceMs: number): Promise<void>;
}

/** Starts a daemon. @throws as {@link OwnSocket.open}, {@link readTls}, {@link listenOnTcp} and {@link readReceivers} */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const daemon = new RunningDaemon(options);
  await daemon.start();
  return daemon;
}

interface TcpPart {
  readonly listeners: readonly Listener[];
  readonly address: TcpAddress;
  readonly port: number;
  readonly isSecure: boolean;
  origin: Origin;
}

class RunningDaemon implements Daemon {
  readonly socket: string;
  readonly #options: DaemonOptions;
  readonly #audit: Audit;
  readonly #underWay = new CallsUnderWay();
  readonly #metrics: Metrics;
  readonly #webhooks: Webhooks;
  readonly #application: Application;
  readonly #ending = new AbortController();
  readonly #stopTelling: () => void;
  #settings: DaemonSettings;
  readonly #ownSocket: OwnSocket;
  #tcp: TcpPart | undefined;
  /** The port for browsers, where none was asked for: opened with the first link. */
  #door: Promise<TcpPart> | undefined;
  readonly #latencies: Latencies;

  constructor(options: DaemonOptions) {
    const { settings, store, clock, log, keeper, random } = options;
    this.#options = options;
    this.#settings = settings;
    this.socket = settings.socket ?? options.socket;
    this.#audit = new Audit(store.access, clock, log);
    this.#bound(settings);
    const sessions = new Sessions(clock, random, () => this.#settings.publicUrl);
    this.#latencies = new Latencies(keeper, clock);
    const streaming = options.hooks ?? undiciStreaming({ isPrivateAllowed: true });
    this.#webhooks = new Webhooks({ store: store.webhooks, streaming, clock, random, log });
    const { webhooks, audit } = { webhooks: this.#webhooks, audit: this.#audit };
    this.#metrics = new Metrics({ keeper, store, audit, webhooks, clock });
    const parts: DaemonParts = {
      ...{ keeper, store, clock, random, log },
      api: (name) => options.api(name),
      streaming: options.streaming,
      audit: this.#audit,
      metrics: this.#metrics,
      ending: this.#ending.signal,
      faults: () => this.#faults(),
      feed: new Feed(store.access, clock),
      standings: new Standings({ store, sessions, clock }),
      ...{ sessions, latencies: this.#latencies, dashboard: options.dashboard },
      requestsPerSecond: options.requestsPerSecond ?? 10,
      openDoor: () => this.#openDoor(),
      consentOrigin: () => this.#consentOrigin(),
    };
    this.#application = createApplication({
      routes: allRoutes(parts),
      gate: {
        ...{ access: store.access, audit: this.#audit, sessions, clock },
        ...{ rates: new Rates(clock), underWay: this.#underWay },
      },
      ...{ clock, log },
      observe: (operation, status, tookMs) => {
        this.#metrics.observe(operation, status, tookMs);
      },
      ...(options.checkAnswers === true && { checkAnswers: true }),
    });
    const newListener = (): Listener => this.#socketListener();
    this.#ownSocket = new OwnSocket({ path: this.socket, newListener, clock, log });
    this.#stopTelling = tellEvents(keeper, log);
  }

  get address(): string | undefined {
    if (this.#tcp === undefined) return undefined;
    return addressOf(this.#tcp);
  }

  /** Listens, and begins to renew in the background. */
  async start(): Promise<void> {
    const receivers = await this.#readReceivers(this.#settings);
    await this.#ownSocket.open();
    try {
      await this.#startTcp();
      await this.#webhooks.use(receivers);
    } catch (error) {
      await this.#ownSocket.close(AbortSignal.abort());
      throw error;
    }
    this.#options.keeper.start();
  }

  async reload(settings: DaemonSettings): Promise<readonly string[]> {
    const { listen } = settings;
    const receivers = await this.#readReceivers(settings);
    const material = await (listen === undefined
      ? readMaterial(settings)
      : readTls(settings, readAddress(listen)));
    if (this.#tcp !== undefined) checkNames(this.#tcp.address, this.#tcp.port, settings);
    if (this.#tcp !== undefined) renew(this.#tcp, settings, material);
    await this.#webhooks.use(receivers);
    this.#bound(settings);
    this.#settings = settings;
    return this.#afterRestart(settings, material !== undefined);
  }

  /** Sets how much is kept and let in. */
  #bound({ auditRows, callsPerKey }: DaemonSettings): void {
    this.#audit.keepRows = auditRows ?? DRAWS_KEPT;
    this.#underWay.mostPerKey = callsPerKey ?? CALLS_PER_KEY;
  }

  /** What differs from what the daemon listens on, not from what was read last: that may be another that is not in force either. */
  #afterRestart(settings: DaemonSettings, isSecure: boolean): readonly string[] {
    const inForce = this.#options.settings;
    const isOther = (['socket', 'listen'] as const).filter(
      (option) => settings[option] !== inForce[option],
    );
    const isTlsOther = this.#tcp !== undefined && this.#tcp.isSecure !== isSecure;
    return [...isOther, ...(isTlsOther ? ['tlsCertificateFile'] : [])].map(
      (option) => `daemon.${option}`,
    );
  }

  async close(patienceMs: number): Promise<void> {
    const late = new AbortController();
    const timer = this.#options.clock.timer(patienceMs, () => {
      late.abort();
    });
    this.#ending.abort();
    try {
      await this.#endServing(late.signal);
    } finally {
      timer.cancel();
      this.#stopTelling();
      this.#latencies.stop();
      this.#metrics.close();
      await this.#audit.flush();
    }
  }

  /** All of it is over before a failure of one is told: what the others did belongs into the audit. */
  async #endServing(late: AbortSignal): Promise<void> {
    const door = await this.#door?.catch(() => undefined);
    const ports = [this.#tcp, door].flatMap((part) => part?.listeners ?? []);
    const ends = await Promise.allSettled([
      this.#webhooks.close(late),
      ...[this.#ownSocket, ...ports].map((listener) => listener.close(late)),
    ]);
    await this.#options.streaming.close();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  #readReceivers({ webhooks }: DaemonSettings): ReturnType<typeof readReceivers> {
    return readReceivers(webhooks, this.#options.environment ?? {});
  }

  #socketListener(): Listener {
    const origin: Origin = { hosts: SOCKET_HOSTS, isOwners: true };
    return createListener(
      (request, response) => void this.#application(request, response, origin),
      undefined,
    );
  }

  async #startTcp(): Promise<void> {
    const { listen } = this.#settings;
    if (listen !== undefined) this.#tcp = await this.#listenOn(readAddress(listen), this.#settings);
  }

  async #listenOn(address: TcpAddress, settings: DaemonSettings): Promise<TcpPart> {
    const material = await readTls(settings, address);
    const opened: { part?: TcpPart } = {};
    const receive = (request: IncomingMessage, response: ServerResponse): void => {
      const { part } = opened;
      if (part === undefined) response.destroy();
      else void this.#application(request, response, part.origin);
    };
    const { listeners, port } = await listenOnTcp(() => createListener(receive, material), address);
    try {
      checkNames(address, port, settings);
    } catch (error) {
      await Promise.all(listeners.map((listener) => listener.close(AbortSignal.abort())));
      throw error;
    }
    const isSecure = material !== undefined;
    const hosts = hostsOf(address, port, isSecure, settings);
    const part = { listeners, address, port, isSecure, origin: { hosts, isOwners: false } };
    opened.part = part;
    return part;
  }

  /** Where TCP was asked for, browsers come in there; otherwise on a port of this machine that opens with the first link. */
  async #openDoor(): Promise<string> {
    if (this.#tcp !== undefined) return publicAddressOf(this.#tcp, this.#settings);
    this.#door ??= this.#listenOn({ host: '127.0.0.1', port: 0 }, {});
    try {
      return addressOf(await this.#door);
    } catch (error) {
      this.#door = undefined;
      throw error;
    }
  }

  /** A redirect URI is registered before, so it is none that a port of chance could be part of. */
  #consentOrigin(): string {
    const { publicUrl } = this.#settings;
    if (this.#tcp === undefined)
      throw new ConfigurationError(
        'ERR_CONFIGURATION',
        'no browser can reach this daemon: daemon.listen is missing in its settings; set it, such as 127.0.0.1:7343, ' +
          'and daemon.publicUrl for people at other machines, and start it again',
      );
    if (publicUrl !== undefined) return new URL(publicUrl).origin;
    return publicAddressOf(this.#tcp, this.#settings);
  }

  async #faults(): Promise<readonly string[]> {
    const found: string[] = [];
    if (this.#ending.signal.aborted) found.push('the daemon is ending');
    if (!(await this.#ownSocket.isReached())) found.push('the socket was removed or replaced');
    try {
      await this.#options.store.endpoints();
    } catch (error) {
      found.push(error instanceof Error ? error.message : String(error));
    }
    return found;
  }
}

/** The port that serves goes on with what is new, even if there will be another after a restart. */
function renew(part: TcpPart, settings: DaemonSettings, material: TlsMaterial | undefined): void {
  const { listeners, address, port, isSecure } = part;
  if (material !== undefined && isSecure)
    for (const listener of listeners) listener.useTls(material);
  part.origin = { hosts: hostsOf(address, port, isSecure, settings), isOwners: false };
}

function addressOf({ address, port, isSecure }: TcpPart): string {
  return `${isSecure ? 'https' : 'http'}://${address.host}:${String(port)}`;
}

/** By the first name that was configured; an address that stands for all of the machine's is none that a browser can open. */
function publicAddressOf(part: TcpPart, { hosts = [] }: DaemonSettings): string {
  const [name] = hosts;
  if (name !== undefined) return `${part.isSecure ? 'https' : 'http'}://${name}`;
  const { host } = part.address;
  const isAny = host === '0.0.0.0' || host === '[::]';
  return addressOf(isAny ? { ...part, address: { ...part.address, host: '127.0.0.1' } } : part);
}

function tellEvents(keeper: Keeper, log: Log): () => void {
  const stops = [
    keeper.on('refreshed', ({ connection, generation }) => {
      log.info('refreshed', { connection, generation });
    }),
    keeper.on('refresh_failed', ({ connection, outcome, message }) => {
      log.warn(message, { connection, outcome });
    }),
    keeper.on('warning', ({ connection, message }) => {
      log.warn(message, { connection });
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
