import type {
  ClientRecord,
  ConnectionRecord,
  EndpointState,
  LifeEvent,
  Notice,
  Sealed,
} from './record.ts';

/*
 * What a decision on a connection sees and what it may change. A store runs a decision inside the transaction that writes its change.
 */

/** What a decision sees: the rows of one connection, read inside the transaction that will apply it. */
export interface View {
  /** The connection. */
  readonly connection: ConnectionRecord;
  /** Its client. */
  readonly client: ClientRecord;
  /** The state of its client's token endpoint; a fresh one where none is stored. */
  readonly endpoint: EndpointState;
}

/** Something sealed that belongs to no current token set. */
export interface Leftover {
  /**
   * `stray`: a late refresh token of the current grant; `revoke`: one of an older grant; `quarantine`: an answer nobody could read.
   */
  readonly kind: 'stray' | 'revoke' | 'quarantine';
  /** Grant of the attempt that got it. */
  readonly grantId: string;
  /** Attempt that got it. */
  readonly attemptId: string;
  /** The bytes, sealed to the connection and all of the above. */
  readonly sealed: Sealed;
  /** When it arrived. */
  readonly at: number;
}

/** What a decision wants changed. All of it happens, or none. */
export interface Change<T> {
  /** Handed back to the caller after the commit. */
  readonly result: T;
  /** Members of the connection to replace; its id cannot be. */
  readonly connection?: Partial<Omit<ConnectionRecord, 'id'>>;
  /** Members to replace in every client of the same registration (token endpoint and client id). */
  readonly client?: Partial<Pick<ClientRecord, 'refusedAt' | 'refusal'>>;
  /** The endpoint's new state. */
  readonly endpoint?: EndpointState;
  /** Lines to add to the connection's history. */
  readonly life?: readonly LifeEvent[];
  /** Messages to add to the outbox. */
  readonly notices?: readonly Omit<Notice, 'id' | 'connection'>[];
  /** Things to keep sealed. */
  readonly leftovers?: readonly Leftover[];
}

/** What a rule wants changed, before its result is known. */
export type Effect = Omit<Change<never>, 'result'>;
