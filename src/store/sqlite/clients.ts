import type { ClientRecord } from '../../connection/record.ts';
import { clientSecretContext } from '../../connection/secrets.ts';
import type { KeyRing } from './key-ring.ts';
import { checkMac, withMac } from './row-mac.ts';
import { clientCells, clientOf, text, type Row } from './rows.ts';
import type { Statements } from './statements.ts';

/** The rows of clients: read with their MAC checked, written with it and under the data key in use. */
export class ClientTable {
  readonly #sql: Statements;
  readonly #ring: KeyRing;

  /** Reads and writes inside whatever transaction is open. */
  constructor(sql: Statements, ring: KeyRing) {
    this.#sql = sql;
    this.#ring = ring;
  }

  /** A client by id. */
  find(id: string): ClientRecord | undefined {
    const row = this.#sql.get('SELECT * FROM client WHERE id = ?', id);
    return row === undefined ? undefined : this.#read(row);
  }

  /** All of them. */
  all(): readonly ClientRecord[] {
    return this.#sql
      .all('SELECT * FROM client ORDER BY provider, client_id, id')
      .map((row) => this.#read(row));
  }

  /** All ids. */
  ids(): readonly string[] {
    return this.#sql.all('SELECT id FROM client ORDER BY id').map((row) => text(row, 'id'));
  }

  /** Those of one registration. */
  registration(tokenEndpoint: string, clientId: string): readonly ClientRecord[] {
    return this.#sql
      .all(
        'SELECT * FROM client WHERE token_endpoint = ? AND client_id = ? ORDER BY id',
        tokenEndpoint,
        clientId,
      )
      .map((row) => this.#read(row));
  }

  /** Adds the client unless there is one of the same provider, registration and overrides. @returns the one that is there then. */
  put(client: ClientRecord): ClientRecord {
    const cells = this.#cells(client);
    const row = this.#sql.get(
      `SELECT * FROM client WHERE provider = ? AND client_id = ? AND token_endpoint = ?
        AND authentication = ? AND overrides = ?`,
      client.provider,
      client.clientId,
      client.tokenEndpoint,
      client.authentication,
      cells['overrides'] ?? null,
    );
    if (row !== undefined) return this.#read(row);
    this.#sql.insert('client', cells);
    return client;
  }

  /** Writes a client whose members changed. */
  replace(client: ClientRecord): void {
    this.#sql.update('client', client.id, this.#cells(client));
  }

  /** Removes a client that no connection names. @returns whether it did. */
  removeUnused(id: string): boolean {
    const row = this.#sql.get(
      `DELETE FROM client
        WHERE id = ? AND NOT EXISTS (SELECT 1 FROM connection WHERE client = ?) RETURNING id`,
      id,
      id,
    );
    return row !== undefined;
  }

  #cells(client: ClientRecord): ReturnType<typeof clientCells> {
    const secret =
      client.secret === undefined
        ? undefined
        : this.#ring.reseal(client.secret, clientSecretContext(client));
    return withMac(this.#ring.keys, 'client', clientCells({ ...client, secret }));
  }

  #read(row: Row): ClientRecord {
    return clientOf(checkMac(this.#ring.keys, 'client', row));
  }
}
