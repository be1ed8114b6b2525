import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  LifeEvent,
  Notice,
} from '../../src/connection/record.ts';
import type { Leftover } from '../../src/connection/decision.ts';
import type { Rng } from './rng.ts';

/** A connection with what belongs to it. */
export interface Row {
  readonly connection: ConnectionRecord;
  readonly life: readonly LifeEvent[];
  readonly leftovers: readonly Leftover[];
}

/** A message in the outbox. */
export interface StoredNotice extends Omit<Notice, 'connection'> {
  readonly connectionId: string;
  readonly reservedUntil: number;
  readonly delivered: boolean;
}

/** Everything a store holds at one instant. Never changed, only replaced. */
export interface Image {
  readonly rows: ReadonlyMap<string, Row>;
  readonly clients: ReadonlyMap<string, ClientRecord>;
  readonly endpoints: ReadonlyMap<string, EndpointState>;
  readonly notices: readonly StoredNotice[];
  readonly lastNoticeId: number;
  /** Ids of connections that were here. */
  readonly removed: ReadonlySet<string>;
}

/** One commit, as an observer sees it. */
export interface Commit<By> {
  readonly by: By;
  readonly before: Image;
  readonly after: Image;
  readonly durable: boolean;
}

const EMPTY: Image = {
  rows: new Map(),
  clients: new Map(),
  endpoints: new Map(),
  notices: [],
  lastNoticeId: 0,
  removed: new Set(),
};

/**
 * The disk under a simulated store. What was written is seen by all processes at once; what was not synced may be lost with the machine's
 * power, from the end. A durable commit syncs all before it.
 */
export class Database<By> {
  image: Image = EMPTY;
  /** What survives the loss of power whatever happens. */
  synced: Image = EMPTY;
  commits = 0;
  readonly #unsynced: Image[] = [];
  readonly #observe: (commit: Commit<By>) => void;

  constructor(observe: (commit: Commit<By>) => void = () => undefined) {
    this.#observe = observe;
  }

  /** Writes. */
  commit(by: By, after: Image, durable: boolean): void {
    const before = this.image;
    this.image = after;
    this.commits++;
    this.#unsynced.push(after);
    if (durable) this.#sync(after);
    this.#observe({ by, before, after, durable });
  }

  /** The machine loses its power: of what was not synced a random beginning is left. */
  losePower(rng: Rng): void {
    const left = rng.between(0, this.#unsynced.length);
    const last = this.#unsynced[left - 1];
    this.image = last ?? this.synced;
    this.#sync(this.image);
    this.commits++;
  }

  #sync(image: Image): void {
    this.synced = image;
    this.#unsynced.length = 0;
  }
}
