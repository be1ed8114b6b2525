import type { Keeper } from '../keeper-api.ts';
import type { ApiAccess } from '../resource/exchange.ts';
import type { DaemonSettings } from '../settings.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { Random } from '../system/random.ts';
import type { Streaming } from '../system/streaming.ts';
import type { DaemonStore } from './store.ts';
import type { Environment } from './webhooks/receivers.ts';

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
