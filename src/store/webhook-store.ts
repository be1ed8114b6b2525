import type { FeedEvent } from './access-store.ts';

/*
 * The outbox of webhooks: what each receiver is still to be told, taken from the feed in its order and kept until it was told or given up. No rule
 * about when to try lives here: `daemon/webhooks/` decides.
 */

/** An event on its way to one receiver. */
export interface Letter {
  /** Names it for the receiver, however often it is sent; unique over all stores. */
  readonly id: string;
  /** Name of the receiver. */
  readonly receiver: string;
  /** What it tells of. */
  readonly event: FeedEvent;
  /** Attempts that failed so far. */
  readonly failures: number;
}

/** A letter that is not tried any more by itself. */
export interface DeadLetter extends Letter {
  /** Why the last attempt failed. */
  readonly reason: string;
  /** Since when. */
  readonly deadAt: number;
  /** Orders those that were given up in the same millisecond. */
  readonly number: number;
}

/** A place among dead letters, which stays where it is when the letter that was there goes. */
export type DeadLetterPlace = Pick<DeadLetter, 'deadAt' | 'number'>;

/** What there is to do for a receiver. */
export interface Work {
  /** Whether the feed has events that were not taken from it yet. */
  readonly isNew: boolean;
  /** Whether a letter may be tried now. */
  readonly isDue: boolean;
}

/** How events become letters. */
export interface Collecting {
  /** Whether the receiver wants events of that kind. */
  wants(event: string): boolean;
  /** A new id. */
  newId(): string;
  /** Now, epoch milliseconds. */
  readonly now: number;
}

/** What taking from the feed came to. */
export interface Collected {
  /** Whether the feed has still more. */
  readonly isMore: boolean;
  /** Events that the feed had given up before they were taken. */
  readonly missed: number;
}

/** A receiver and its letters. */
export interface ReceiverCounts {
  /** Name of the receiver. */
  readonly name: string;
  /** Letters on their way. */
  readonly waiting: number;
  /** Letters given up. */
  readonly dead: number;
}

/** Letters of a store, shared by its daemons. */
export interface WebhookStore {
  /** Settles who is told. One that is new is told what happens from now on; what was kept for one that is not named any more is forgotten. */
  setReceivers(names: readonly string[]): Promise<void>;
  /** What there is to do; reads only. */
  work(receiver: string, now: number): Work;
  /** Takes the next events from the feed. Does nothing while 100 000 letters wait for the receiver. */
  collect(receiver: string, collecting: Collecting): Promise<Collected>;
  /**
   * Takes letters to be sent now, the longest due first, at most one of each connection, and that the oldest. They are nobody else's until
   * `until`; then they are due again.
   */
  claim(receiver: string, now: number, until: number, limit: number): Promise<readonly Letter[]>;
  /** A letter has arrived: it is forgotten, and the next of its connection is due. */
  delivered(letter: Letter, now: number): Promise<void>;
  /** An attempt failed; the next may be made at `nextAt`. */
  failed(letter: Letter, reason: string, nextAt: number): Promise<void>;
  /** A letter is given up: it is kept aside, and the next of its connection is due. The newest 10 000 of these are kept. */
  gaveUp(letter: Letter, reason: string, now: number): Promise<void>;
  /** The receiver asked for peace: nothing is due before `until`. */
  hold(receiver: string, until: number): Promise<void>;
  /** Letters given up, the newest first; those after a place, if one is named. */
  deadLetters(filter: {
    readonly receiver?: string | undefined;
    readonly after?: DeadLetterPlace | undefined;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]>;
  /** Makes a dead letter due at once, with all its attempts, in no order with others. @returns false when there is none of that id. */
  revive(id: string, now: number): Promise<boolean>;
  /** Who is told, in order of name, and how many letters of each there are; reads only. */
  receivers(): readonly ReceiverCounts[];
  /** How many letters there are. */
  counts(): { readonly waiting: number; readonly dead: number };
}

/** No letter waits longer for its next attempt; one that seems to has seen the clock set back. */
export const LONGEST_WAIT_MS = 2 * 86_400_000;
