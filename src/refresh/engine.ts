import type { ClientRecord } from '../connection/record.ts';
import type { KeeperEvents } from '../keeper-api.ts';
import type { Profile } from '../providers/profile.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import type { Http } from '../system/http.ts';
import type { Log } from '../system/log.ts';
import type { Machine } from '../system/machine.ts';
import type { Random } from '../system/random.ts';
import type { Spills } from './spill.ts';

/** What the operator may choose about refreshing. */
export interface RefreshSettings {
  /** Whether an uncertain connection is tried once more when its access token expires. */
  readonly lastTry: boolean;
  /** Requests in any second to one token endpoint, over all processes of the store. */
  readonly requestsPerSecond: number;
}

/** The parts that refreshing works with; joined by openKeeper. */
export interface Engine {
  /** Where connections are kept. */
  readonly store: Store;
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** The way to token endpoints. */
  readonly http: Http;
  /** This machine. */
  readonly machine: Machine;
  /** Answers that the store could not take. */
  readonly spills: Spills;
  /** What the operator chose. */
  readonly settings: RefreshSettings;
  /** The habits of a client's authorization server. @throws EvergrantError for a registration that this version cannot use. */
  readonly profileOf: (client: ClientRecord) => Profile;
  /** Tells listeners. */
  emit<E extends keyof KeeperEvents>(event: E, detail: KeeperEvents[E]): void;
  /** Tells the log. */
  readonly log: Log;
  /** Aborts when the keeper closes: nothing new is begun, and what lies safe in a spill file is left there. */
  readonly closing: AbortSignal;
  /** Aborts a little later: requests whose repetition is harmless are given up. */
  readonly leaving: AbortSignal;
}

/** How this keeper is named in the history of a connection. */
export function keeperName({ machine }: Engine): string {
  return `${machine.hostname} pid ${String(machine.pid)}`;
}
