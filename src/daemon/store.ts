import type { EndpointState, LifeEvent } from '../connection/record.ts';
import type { AccessStore } from '../store/access-store.ts';
import type { WebhookStore } from '../store/webhook-store.ts';

/** As much of a store as a daemon needs besides its keeper. */
export interface DaemonStore {
  /** Keys, draws and events. */
  readonly access: AccessStore;
  /** What receivers of webhooks are still to be told. */
  readonly webhooks: WebhookStore;
  /** A connection's history, newest first. */
  life(connectionId: string, limit: number): Promise<readonly LifeEvent[]>;
  /** All token endpoints known. */
  endpoints(): Promise<readonly EndpointState[]>;
}
