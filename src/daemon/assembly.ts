import type { DaemonSettings } from '../settings.ts';
import { undiciStreaming } from '../system/undici-streaming.ts';
import { Audit, DRAWS_KEPT } from './access/audit.ts';
import { Rates } from './access/rate.ts';
import { CALLS_PER_KEY, CallsUnderWay } from './access/under-way.ts';
import { createApplication, type Application } from './application.ts';
import { Latencies } from './browser/latencies.ts';
import { Sessions } from './browser/sessions.ts';
import { Feed } from './events/feed.ts';
import { whyNotReady } from './readiness.ts';
import { SOCKET_HOSTS } from './http/hosts.ts';
import { createListener, type Listener } from './http/listener.ts';
import { logEvents } from './log-events.ts';
import { Metrics } from './metrics/metrics.ts';
import type { DaemonOptions } from './options.ts';
import { OwnSocket } from './own-socket.ts';
import type { DaemonParts } from './parts.ts';
import { Ports } from './ports.ts';
import { allRoutes } from './routes/routes.ts';
import { Standings } from './standing.ts';
import { Webhooks } from './webhooks/webhooks.ts';

/*
 * How the parts of a daemon are joined. Nothing listens, and nothing is looked at, before it is started.
 */

/** The joined parts, as far as starting, reloading and ending are concerned with them. */
export class Assembly {
  /** What it was made of; its settings are those that the daemon listens by. */
  readonly options: DaemonOptions;
  /** The settings in force, but for what takes a restart. */
  settings: DaemonSettings;
  /** Path of the socket. */
  readonly socket: string;
  /** Aborted when the daemon begins to end. */
  readonly ending = new AbortController();
  /** What was drawn. */
  readonly audit: Audit;
  /** What is counted. */
  readonly metrics: Metrics;
  /** Who is told what happens. */
  readonly webhooks: Webhooks;
  /** How long refreshes took. */
  readonly latencies: Latencies;
  /** Where the owner comes in. */
  readonly ownSocket: OwnSocket;
  /** Where others come in. */
  readonly ports: Ports;
  /** Tells the log no more. */
  readonly stopTelling: () => void;
  readonly #underWay = new CallsUnderWay();

  /** Joins them. */
  constructor(options: DaemonOptions) {
    const { settings, store, clock, log, keeper, random } = options;
    this.options = options;
    this.settings = settings;
    this.socket = settings.socket ?? options.socket;
    this.audit = new Audit(store.access, clock, log);
    this.latencies = new Latencies(keeper, clock);
    const streaming = options.hooks ?? undiciStreaming({ isPrivateAllowed: true });
    this.webhooks = new Webhooks({ store: store.webhooks, streaming, clock, random, log });
    const { webhooks, audit } = this;
    this.metrics = new Metrics({ keeper, store, audit, webhooks, clock });
    const answer = this.#application();
    this.ports = new Ports(answer);
    const newListener = (): Listener => socketListener(answer);
    this.ownSocket = new OwnSocket({ path: this.socket, newListener, clock, log });
    this.stopTelling = logEvents(keeper, log);
    this.use(settings);
  }

  /** Puts settings in force, as far as they set how much is kept and let in, and how browsers reach the daemon. */
  use(settings: DaemonSettings): void {
    this.audit.keepRows = settings.auditRows ?? DRAWS_KEPT;
    this.#underWay.mostPerKey = settings.callsPerKey ?? CALLS_PER_KEY;
    this.settings = settings;
  }

  #application(): Application {
    const { store, clock, log, random, checkAnswers } = this.options;
    const { audit } = this;
    const sessions = new Sessions(clock, random, () => this.settings.publicUrl);
    const [underWay, rates] = [this.#underWay, new Rates(clock)];
    return createApplication({
      routes: allRoutes(this.#parts(sessions)),
      gate: { access: store.access, audit, rates, underWay, sessions, clock },
      standings: new Standings({ store, sessions, clock }),
      ...{ clock, log },
      observe: (operation, status, tookMs) => {
        this.metrics.observe(operation, status, tookMs);
      },
      ...(checkAnswers === true && { checkAnswers: true }),
    });
  }

  #parts(sessions: Sessions): DaemonParts {
    const { keeper, store, clock, random, log, streaming, dashboard } = this.options;
    const { audit, metrics, latencies } = this;
    const ending = this.ending.signal;
    return {
      ...{ keeper, store, clock, random, log, streaming, dashboard },
      ...{ audit, metrics, sessions, latencies, ending },
      api: (name) => this.options.api(name),
      feed: new Feed(store.access, clock),
      requestsPerSecond: this.options.requestsPerSecond ?? 10,
      openDoor: () => this.ports.openDoor(this.settings),
      consentOrigin: () => this.ports.consentOrigin(this.settings),
      faults: () => whyNotReady({ ending, ownSocket: this.ownSocket, store }),
    };
  }
}

function socketListener(answer: Application): Listener {
  const origin = { hosts: SOCKET_HOSTS, isOwners: true };
  return createListener((request, response) => void answer(request, response, origin), undefined);
}
