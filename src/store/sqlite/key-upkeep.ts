import { failpoint } from '#failpoints';
import { StoreError } from '../../errors.ts';
import type { Clock } from '../../system/clock.ts';
import type { Random } from '../../system/random.ts';
import {
  createMasterKey,
  readDescription,
  type MasterKeyDescription,
  type MasterKeySource,
} from '../master-key.ts';
import {
  clientSecretContext,
  leftoverContext,
  mapSealed,
  type SealContext,
} from '../../connection/secrets.ts';
import { dataKeyIdOf } from '../sealing.ts';
import type { ClientTable } from './clients.ts';
import type { ConnectionTable } from './connections.ts';
import { sqliteCode } from './errors.ts';
import { keepLeftover, leftoversOf } from './history.ts';
import type { KeyRing } from './key-ring.ts';
import { addDataKey, readDataKeys, readEndKeys } from './keys.ts';
import { readMeta, writeMeta } from './meta.ts';
import { number, text } from './rows.ts';
import type { Statements } from './statements.ts';
import type { Writer } from './writer.ts';

/** The keys of a store, for people; holds none of them. */
export interface KeyStatus {
  /** Where the master key is. */
  readonly masterKey: MasterKeyDescription['kind'];
  /** Data keys, the newest first. Retired ones stay, since a backup or a spilled answer may lie under them. */
  readonly dataKeys: readonly {
    /** Sixteen hex digits. */
    readonly id: string;
    /** Epoch milliseconds. */
    readonly createdAt: number;
    /** Epoch milliseconds; undefined for the one in use. */
    readonly retiredAt: number | undefined;
  }[];
}

/** What upkeep of the keys works with. */
export interface KeyUpkeepParts {
  /** The open store. */
  readonly sql: Statements;
  /** Its transactions. */
  readonly writer: Writer;
  /** Its data keys. */
  readonly ring: KeyRing;
  /** What is sealed. */
  readonly connections: ConnectionTable;
  /** What else is sealed. */
  readonly clients: ClientTable;
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** Its id. */
  readonly storeId: string;
}

/** Sealed anew in one transaction. */
const BATCH = 32;

/** Renews the keys of an open store while other processes go on using it. */
export class KeyUpkeep {
  readonly #parts: KeyUpkeepParts;
  /** As the store described the master key that this process holds. */
  #description: string;

  /** @param description - of the master key that the store was opened with. */
  constructor(parts: KeyUpkeepParts, description: string) {
    this.#parts = parts;
    this.#description = description;
  }

  /** What is known of the keys. */
  status(): KeyStatus {
    const { sql } = this.#parts;
    const rows = sql.all('SELECT id, created_at, retired_at FROM data_key ORDER BY number DESC');
    return {
      masterKey: readDescription(readMeta(sql, 'master_key')).kind,
      dataKeys: rows.map((key) => ({
        id: text(key, 'id'),
        createdAt: number(key, 'created_at'),
        retiredAt: key['retired_at'] === null ? undefined : number(key, 'retired_at'),
      })),
    };
  }

  /**
   * Seals everything anew under a new data key, some connections a transaction. What another process writes meanwhile is sealed under the new
   * key as well. When it is interrupted, everything still opens, and the next call seals anew what was left.
   *
   * @returns how many connections were sealed anew.
   */
  async rotateDataKey(): Promise<number> {
    const { sql, writer, ring, clock } = this.#parts;
    const fresh = await writer.write(() => {
      this.#requireMasterKey();
      const key = ring.keys.create();
      addDataKey(sql, ring.keys, key, clock.now());
      return key;
    }, true);
    ring.keys.use(fresh);
    return this.resealAll();
  }

  /**
   * Puts the store under another master key: all data keys are wrapped anew in one transaction, so that either the old key opens it or the new
   * one. The old key is left where it is, since backups made before need it. Processes that have the store open go on. A retired data key
   * that is damaged stays as it is, and stops nothing else.
   *
   * @param source - of the new key; what lies there already is taken, else one is made.
   * @throws {@link StoreError} as {@link createMasterKey}; `ERR_STORE_DAMAGED` at the end, when a data key does not open; it is named, and
   *   the others are under the new key.
   */
  async changeMasterKey(source: MasterKeySource): Promise<void> {
    const { sql, writer, ring, random, storeId } = this.#parts;
    const { key, description } = await createMasterKey(source, random, storeId);
    const described = JSON.stringify(description);
    failpoint('master-key-made');
    const damaged = await writer.write(() => {
      this.#requireMasterKey();
      const left = this.#rewrapAll(key);
      writeMeta(sql, 'master_key', described);
      return left;
    }, true);
    failpoint('master-key-changed');
    this.#description = described;
    ring.keys.moveTo(key);
    if (damaged.length === 0) return;
    throw new StoreError(
      'ERR_STORE_DAMAGED',
      `the store has its new master key, but these retired data keys are damaged and were left as they are: ${damaged.join(', ')}; what lies under them opens from a backup alone`,
    );
  }

  /** Wraps every data key anew. @returns the retired ones that do not open. @throws when one in use does not: then nothing must change. */
  #rewrapAll(masterKey: Uint8Array): readonly string[] {
    const { sql, ring } = this.#parts;
    const { first, current } = readEndKeys(sql);
    const damaged: string[] = [];
    for (const { id } of readDataKeys(sql)) {
      try {
        const { wrapped } = ring.keys.rewrap(id, masterKey);
        sql.run('UPDATE data_key SET wrapped = ? WHERE id = ?', wrapped, id);
      } catch (error) {
        const isInUse = id === first.id || id === current.id;
        if (isInUse || !(error instanceof StoreError)) throw error;
        damaged.push(id);
      }
    }
    return damaged;
  }

  /**
   * Seals anew what still lies under a retired data key. What does not open stays as it is, under its old key, and stops nothing else.
   *
   * @returns how many connections were sealed anew.
   * @throws {@link StoreError} `ERR_STORE_DAMAGED` at the end, when something did not open; it is named.
   */
  async resealAll(): Promise<number> {
    const { writer, connections, clients } = this.#parts;
    const ids = writer.reading(() => connections.ids());
    const flaws: string[] = [];
    let resealed = 0;
    for (let i = 0; i < ids.length; i += BATCH) {
      const batch = ids.slice(i, i + BATCH).map((id) => this.#reseal(() => this.#connection(id)));
      for (const done of await Promise.all(batch)) {
        if (done.changed) resealed++;
        flaws.push(...done.flaws);
      }
      failpoint('key-rotation-batch');
    }
    for (const id of writer.reading(() => clients.ids())) {
      flaws.push(...(await this.#reseal(() => this.#client(id))).flaws);
    }
    if (flaws.length === 0) return resealed;
    throw new StoreError(
      'ERR_STORE_DAMAGED',
      `connections sealed anew: ${String(resealed)}; what does not open stays as it was, and its old data key is kept: ${flaws.join('; ')}`,
    );
  }

  /** A data key wrapped by a master key that the store has left would open nowhere. */
  #requireMasterKey(): void {
    if (readMeta(this.#parts.sql, 'master_key') === this.#description) return;
    throw new StoreError(
      'ERR_KEY_WRONG',
      'another process changed the master key since this one opened the store; open it again',
    );
  }

  /** Runs one step in a transaction; a row that cannot be read is a flaw of that row. */
  async #reseal(step: () => Resealed): Promise<Resealed> {
    const { writer, ring } = this.#parts;
    try {
      return await writer.write(() => {
        ring.follow();
        return step();
      }, true);
    } catch (error) {
      const isDamage = error instanceof StoreError && error.code === 'ERR_STORE_DAMAGED';
      if (isDamage && !isSqlite(error)) return { changed: false, flaws: [error.message] };
      throw error;
    }
  }

  #connection(connectionId: string): Resealed {
    const { sql, connections, ring } = this.#parts;
    const record = connections.find(connectionId);
    if (record === undefined) return { changed: false, flaws: [] };
    const flaws: string[] = [];
    const examine = (sealed: Uint8Array, context: SealContext): Uint8Array => {
      const flaw = ring.flawOf(sealed, context);
      if (flaw !== undefined) flaws.push(`${record.name}: ${flaw}`);
      return sealed;
    };
    for (const left of leftoversOf(sql, connectionId)) {
      examine(left.sealed, leftoverContext(connectionId, left));
      if (dataKeyIdOf(left.sealed) !== ring.keys.currentId) {
        keepLeftover(sql, ring, connectionId, left);
      }
    }
    mapSealed(record, examine);
    return { changed: connections.replace(record, record), flaws };
  }

  #client(id: string): Resealed {
    const { clients, ring } = this.#parts;
    const client = clients.find(id);
    if (client === undefined) return { changed: false, flaws: [] };
    clients.replace(client);
    const { secret } = client;
    const flaw = secret && ring.flawOf(secret, clientSecretContext(client));
    return {
      changed: true,
      flaws: flaw === undefined ? [] : [`client ${client.clientId}: ${flaw}`],
    };
  }
}

/** What one step of sealing anew came to. */
interface Resealed {
  readonly changed: boolean;
  /** What does not open, in words. */
  readonly flaws: readonly string[];
}

/** A file that is damaged as a whole is no flaw of one row. */
function isSqlite({ cause }: StoreError): boolean {
  return sqliteCode(cause) !== undefined;
}
