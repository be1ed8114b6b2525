import type { EndpointState, LifeEvent } from '../connection/record.ts';
import type { AccessStore } from '../store/access-store.ts';

/** As much of a store as a daemon needs besides its keeper. */
export interface DaemonStore {
  /** Keys, draws and events. */
  readonly access: AccessStore;
  /** A connection's history, newest first. */
  life(connectionId: string, limit: number): Promise<readonly LifeEvent[]>;
  /** All token endpoints known. */
  endpoints(): Promise<readonly EndpointState[]>;
}
