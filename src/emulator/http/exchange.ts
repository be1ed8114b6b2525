import type { LedgerFilter } from '../ledger-entry.ts';
import type { AuthorizationServer } from '../server.ts';
import type { Answer } from './answer.ts';
import type { Request } from './request.ts';

/** One request on its way through an endpoint. */
export interface Exchange {
  readonly server: AuthorizationServer;
  readonly request: Request;
  /** Writes into the request's row of the ledger. */
  note(facts: LedgerFilter): void;
}

/** Answers requests; may throw a Refusal. */
export type Endpoint = (exchange: Exchange) => Answer | Promise<Answer>;
