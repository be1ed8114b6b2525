import type { Form } from '../http/form.ts';
import type { LedgerFilter } from '../ledger-entry.ts';
import type { AuthorizationServer } from '../server.ts';
import type { RegisteredClient } from '../state/clients.ts';
import type { Issued } from '../tokens/issue.ts';

/** A token request whose client is known and authenticated. */
export interface GrantExchange {
  readonly server: AuthorizationServer;
  readonly form: Form;
  readonly client: RegisteredClient;
  /** Writes into the request's row of the ledger. */
  note(facts: LedgerFilter): void;
}

/** Exchanges one kind of grant for tokens; throws a Refusal. Whatever it changes, it changes before its first await. */
export type GrantHandler = (exchange: GrantExchange) => Promise<Issued>;
