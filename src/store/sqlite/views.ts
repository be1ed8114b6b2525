import type { View } from '../../connection/decision.ts';
import { freshEndpoint } from '../../connection/gate.ts';
import type { ClientRecord, ConnectionRecord, EndpointState } from '../../connection/record.ts';
import type { ClientTable } from './clients.ts';
import type { ConnectionTable } from './connections.ts';
import type { KeyRing } from './key-ring.ts';
import { Known } from './known.ts';
import { endpointOf } from './rows.ts';
import type { StoreFile } from './store-file.ts';
import type { Remembrance } from './writer.ts';

/** Where views are read from. */
export interface ViewSources {
  /** The open file. */
  readonly file: StoreFile;
  /** Its data keys. */
  readonly ring: KeyRing;
  /** Its connections. */
  readonly connections: ConnectionTable;
  /** Its clients. */
  readonly clients: ClientTable;
}

/**
 * What decisions are made on, and what is remembered of it: all is forgotten as soon as another process has written. Call within a read
 * or a write of the {@link Writer} alone, which keeps it in step.
 */
export class Views implements Remembrance {
  readonly #sources: ViewSources;
  readonly #clients = new Known<ClientRecord>();
  readonly #endpoints = new Known<EndpointState>();
  #counter = NaN;
  #hasKeysInUse = false;
  /** Whether no notice waits for its delivery, as far as is known. */
  hasNothingToTell = false;

  /** Remembers nothing yet. */
  constructor(sources: ViewSources) {
    this.#sources = sources;
  }

  /** The store's change counter at the last look, when what is remembered was right. */
  get counter(): number {
    return this.#counter;
  }

  /** A connection with its client and its endpoint; undefined when there is none. */
  view(connectionId: string): View | undefined {
    return this.#of(this.#sources.connections.find(connectionId));
  }

  /** As {@link Views.view}, by name. */
  find(name: string): View | undefined {
    return this.#of(this.#sources.connections.named(name));
  }

  /** What is written now must not lie under a data key that another process has retired. */
  useKeys(): void {
    if (this.#hasKeysInUse) return;
    this.#sources.ring.follow();
    this.#hasKeysInUse = true;
  }

  /** Writes what became of an endpoint, before the commit. */
  putEndpoint(before: EndpointState, state: EndpointState): void {
    const members = Object.keys(state) as (keyof EndpointState)[];
    if (members.every((member) => state[member] === before[member])) return;
    this.#endpoints.set(state.endpoint, state);
    this.#sources.connections.tally.endpoint(state);
  }

  /** Changes all clients of a registration. */
  changeClients(
    { tokenEndpoint, clientId }: ClientRecord,
    change: Partial<Pick<ClientRecord, 'refusedAt' | 'refusal'>>,
  ): void {
    if (Object.keys(change).length === 0) return;
    const { clients } = this.#sources;
    for (const client of clients.registration(tokenEndpoint, clientId)) {
      clients.replace({ ...client, ...change });
    }
    this.#clients.clear();
  }

  look(): void {
    const counter = this.#sources.file.changeCounter();
    if (counter !== this.#counter) this.forget();
    this.#counter = counter;
  }

  forget(): void {
    this.#sources.connections.forget();
    this.#clients.clear();
    this.#endpoints.clear();
    this.#hasKeysInUse = false;
    this.hasNothingToTell = false;
  }

  settle(): void {
    this.#sources.connections.tally.settle();
  }

  undo(): void {
    this.forget();
    this.#sources.connections.tally.undo();
  }

  #of(connection: ConnectionRecord | undefined): View | undefined {
    const client = connection && this.#client(connection.clientId);
    return client && { connection, client, endpoint: this.#endpoint(client.tokenEndpoint) };
  }

  #client(id: string): ClientRecord | undefined {
    const client = this.#clients.get(id) ?? this.#sources.clients.find(id);
    if (client !== undefined) this.#clients.set(id, client);
    return client;
  }

  #endpoint(endpoint: string): EndpointState {
    const known = this.#endpoints.get(endpoint);
    if (known !== undefined) return known;
    const { statements } = this.#sources.file;
    const row = statements.get('SELECT state FROM endpoint WHERE endpoint = ?', endpoint);
    const state = row === undefined ? freshEndpoint(endpoint) : endpointOf(row);
    this.#endpoints.set(endpoint, state);
    return state;
  }
}
