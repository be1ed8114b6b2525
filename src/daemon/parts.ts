import type { Keeper } from '../keeper-api.ts';
import type { ApiAccess } from '../resource/exchange.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Random } from '../system/random.ts';
import type { Streaming } from '../system/streaming.ts';
import type { Audit } from './access/audit.ts';
import type { Latencies } from './browser/latencies.ts';
import type { Sessions } from './browser/sessions.ts';
import type { Feed } from './events/feed.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { DaemonStore } from './store.ts';

/** What routes work with. */
export interface DaemonParts {
  /** The running system. */
  readonly keeper: Keeper;
  /** Its store. */
  readonly store: DaemonStore;
  /** What calling the API of a connection takes. @throws {@link NotFoundError} `ERR_CONNECTION_UNKNOWN` */
  api(name: string): Promise<ApiAccess>;
  /** The way to APIs. */
  readonly streaming: Streaming;
  /** What was drawn. */
  readonly audit: Audit;
  /** What is counted. */
  readonly metrics: Metrics;
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** Where the daemon tells what happens. */
  readonly log: Log;
  /** Aborted when the daemon begins to end: whoever waits for nothing in particular stops. */
  readonly ending: AbortSignal;
  /** What happens. */
  readonly feed: Feed;
  /** Who is signed in at a browser. */
  readonly sessions: Sessions;
  /** How long refreshes took. */
  readonly latencies: Latencies;
  /** Requests a second that a token endpoint is sent at most. */
  readonly requestsPerSecond: number;
  /** Folder of the built dashboard; undefined: found by itself. */
  readonly dashboard: string | undefined;
  /** Address at which browsers reach the dashboard; opens a port for them where there is none. */
  readonly openDoor: () => Promise<string>;
  /** Origin at which a person who must consent reaches this daemon. @throws {@link ConfigurationError} `ERR_CONFIGURATION` when there is none. */
  readonly consentOrigin: () => string;
  /** What keeps it from serving, in words; none when it is ready. */
  faults(): Promise<readonly string[]>;
}
