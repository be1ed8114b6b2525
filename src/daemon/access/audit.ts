import type { AccessStore, Draw, Verb } from '../../store/access-store.ts';
import type { Clock } from '../../system/clock.ts';
import type { Log } from '../../system/log.ts';
import type { Caller } from './caller.ts';

/*
 * Who drew what. What a key draws is on file before it is served; what the owner draws through the owner's socket, and what is refused, follows
 * within a moment: it would cost each token a write, and whoever reaches the port could make the disk work. Draws that are alike and wait together
 * make one row with their number. A token that lives is never withheld: when the store cannot be written, draws are kept here, the count of those
 * given up is told, and serving goes on.
 */

/** What is audited. */
export interface Event {
  /** Who. */
  readonly caller: Caller;
  /** Name of the connection, if one was named. */
  readonly connection: string | undefined;
  /** What was asked for. */
  readonly verb: Verb;
  /** The operation, and for the proxy method and target. */
  readonly what: string;
  /** Why it was refused; undefined when it was granted. */
  readonly refusedBecause: string | undefined;
}

/** Rows that the store keeps, unless told otherwise. */
export const DRAWS_KEPT = 100_000;
const DELAY_MS = 500;
/** Kinds of refusals that wait at most, and while the store cannot be written as many of what was granted; those beyond are counted as lost. */
const MOST_WAITING = 5_000;
/** Whoever is let in chooses paths and names; a hundred thousand rows of theirs stay small. */
const MOST_CHARACTERS = 500;

/** Draws that are alike. */
interface Waiting extends Omit<Draw, 'at' | 'count'> {
  /** When the last of them was made. */
  at: number;
  count: number;
}

/** Files draws in the store. */
export class Audit {
  /** Rows that the store keeps. */
  keepRows = DRAWS_KEPT;
  /** Draws that could not be filed. */
  lost = 0;
  readonly #access: AccessStore;
  readonly #clock: Clock;
  readonly #log: Log;
  #waiting = new Map<string, Waiting>();
  #flushing: Promise<void> | undefined;
  #isTimed = false;

  /** Files nothing yet. */
  constructor(access: AccessStore, clock: Clock, log: Log) {
    this.#access = access;
    this.#clock = clock;
    this.#log = log;
  }

  /** Files a draw. Resolves when it may be served. */
  async record(event: Event): Promise<void> {
    this.#add(event);
    const isServedToKey = event.caller.policy !== undefined && event.refusedBecause === undefined;
    if (isServedToKey) return this.flush();
    if (this.#isTimed) return;
    this.#isTimed = true;
    const onTime = (): void => {
      this.#isTimed = false;
      void this.flush();
    };
    this.#clock.timer(DELAY_MS, onTime, { background: true });
  }

  /** Files all that waits. Never rejects. */
  async flush(): Promise<void> {
    // What is being written does not hold what came since; the next to be written does.
    this.#flushing ??= Promise.resolve().then(() => this.#write());
    return this.#flushing;
  }

  #add({ caller, verb, refusedBecause, ...event }: Event): void {
    const { name, keyId } = caller;
    const connection = event.connection?.slice(0, MOST_CHARACTERS);
    const what = event.what.slice(0, MOST_CHARACTERS);
    const at = this.#clock.now();
    const identity = `${name}\n${keyId ?? ''}\n${connection ?? ''}\n${verb}\n${what}\n${refusedBecause ?? ''}`;
    const known = this.#waiting.get(identity);
    if (known !== undefined) {
      known.at = at;
      known.count++;
    } else if (refusedBecause !== undefined && this.#waiting.size >= MOST_WAITING) this.lost++;
    else {
      const facts = { caller: name, keyId, connection, verb, what, refusedBecause };
      this.#waiting.set(identity, { at, ...facts, count: 1 });
    }
  }

  async #write(): Promise<void> {
    const draws = this.#waiting;
    this.#waiting = new Map();
    this.#flushing = undefined;
    if (draws.size === 0) return;
    try {
      await this.#access.addDraws([...draws.values()], this.keepRows);
    } catch (error) {
      this.#keep(draws);
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.warn('draws cannot be filed in the audit now; they are kept in memory', { reason });
    }
  }

  /** Refusals take half of the room at most, so that they do not push out what was granted. */
  #keep(draws: ReadonlyMap<string, Waiting>): void {
    for (const [identity, draw] of draws) {
      const later = this.#waiting.get(identity);
      const most = draw.refusedBecause === undefined ? 2 * MOST_WAITING : MOST_WAITING;
      if (later === undefined && this.#waiting.size >= most) this.lost += draw.count;
      else
        this.#waiting.set(identity, {
          ...(later ?? draw),
          count: draw.count + (later?.count ?? 0),
        });
    }
  }
}
