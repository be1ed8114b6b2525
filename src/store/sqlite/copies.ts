import { COPIED, holdCopied, isHeldCopy, releaseCopied } from '../../connection/copied.ts';
import type { ClientRecord, ConnectionRecord } from '../../connection/record.ts';
import { event } from '../../connection/telling.ts';
import { StoreError } from '../../errors.ts';
import type { Clock } from '../../system/clock.ts';
import { folderOf, removeLeftBehind } from '../../system/files.ts';
import { breathe } from '../../system/turn.ts';
import type { Machine } from '../../system/machine.ts';
import type { ClientTable } from './clients.ts';
import type { ConnectionTable } from './connections.ts';
import { addLife } from './history.ts';
import type { KeyRing } from './key-ring.ts';
import { clearMeta, readMeta, writeMeta, writeVouched } from './meta.ts';
import { addNotice } from './outbox.ts';
import { readMark, writeMark, type Mark } from './mark.ts';
import type { Statements } from './statements.ts';
import { parseOwn, recordedRotations, suspicionOf, type Place } from './suspicion.ts';
import type { Writer } from './writer.ts';

/*
 * What is done about a store that is not the one it was: what must not be used until the operator says so is held, and told once.
 */

/** Whether a store was noticed to be a copy. */
export interface CopyStatus {
  /** How often that happened, the creation included. */
  readonly epoch: number;
  /** Set while connections are held until the operator accepts the copy. */
  readonly unconfirmed:
    | {
        /** When it was noticed, in epoch milliseconds. */
        readonly since: number;
        /** What gave it away, in words. */
        readonly because: string;
      }
    | undefined;
}

/** What noticing copies takes. */
export interface CopyGuardParts {
  /** The open store. */
  readonly sql: Statements;
  /** Its transactions. */
  readonly writer: Writer;
  /** Its connections. */
  readonly connections: ConnectionTable;
  /** Its clients. */
  readonly clients: ClientTable;
  /** Its data keys. */
  readonly ring: KeyRing;
  /** Its id. */
  readonly storeId: string;
  /** Time. */
  readonly clock: Clock;
  /** This machine. */
  readonly machine: Machine;
  /** Where it is now. */
  readonly place: Place;
  /** Path of the mark. */
  readonly markFile: string;
  /** Whether using a refresh token of this connection twice may revoke its grant. */
  readonly isFragile: (client: ClientRecord, connection: ConnectionRecord) => boolean;
}

/** Least time between two writings of the mark, but for the last. */
const MARK_EVERY_MS = 60_000;

/** Watches over one open store. */
export class CopyGuard {
  readonly #parts: CopyGuardParts;
  #isMarkBehind = false;
  #markedAt = -MARK_EVERY_MS;
  /** A copy that was noticed where nothing could be written; with the mark that it was noticed by. */
  #unheld: { readonly since: number; readonly mark: Mark | undefined } | undefined;
  #marking: Promise<void> = Promise.resolve();

  /** Watches nothing before {@link CopyGuard.check}. */
  constructor(parts: CopyGuardParts) {
    this.#parts = parts;
  }

  /** Looks whether the store is the one that it was, and holds what must not be used if it is not. @throws {@link StoreError} */
  async check(): Promise<void> {
    const { writer, markFile } = this.#parts;
    const mark = await readMark(markFile);
    if (writer.reading(() => this.#suspicion(mark)) !== undefined) {
      // As long as the store does not say that it is a copy, the mark alone does.
      if (!(await this.#writeHold(mark))) return;
      this.#isMarkBehind = true;
    }
    if (mark === undefined || this.#isMarkBehind) await this.#writeMark();
  }

  /**
   * Where nothing can be written nothing can be used up either: then it is written before anything else is.
   *
   * @returns whether it is written.
   */
  async #writeHold(mark: Mark | undefined): Promise<boolean> {
    const { writer, clock } = this.#parts;
    const hold = (): void => {
      this.#hold(mark);
    };
    try {
      await writer.write(hold, true);
      return true;
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      this.#unheld = { since: clock.now(), mark };
      writer.writeFirst(hold);
      return false;
    }
  }

  /** Call when token sets were recorded: now and then the mark follows. */
  rotated(): void {
    this.#isMarkBehind = true;
    const now = this.#parts.clock.monotonic();
    if (now - this.#markedAt < MARK_EVERY_MS) return;
    this.#markedAt = now;
    // Those who wait for the token set need not wait for a file.
    this.#marking = this.#marking.then(breathe).then(() => this.#writeMark());
  }

  /** Whether the store was noticed to be a copy. */
  status(): CopyStatus {
    const { sql } = this.#parts;
    const unconfirmed = readMeta(sql, 'unconfirmed');
    return {
      epoch: Number(readMeta(sql, 'epoch') ?? 0),
      unconfirmed:
        unconfirmed === undefined
          ? this.#noticed()
          : (parseOwn(unconfirmed) as CopyStatus['unconfirmed']),
    };
  }

  #noticed(): CopyStatus['unconfirmed'] {
    if (this.#unheld === undefined) return undefined;
    const { since, mark } = this.#unheld;
    // None any more once it is written.
    const because = this.#suspicion(mark);
    return because === undefined ? undefined : { since, because };
  }

  /** Lets go what was held because the store is a copy. @returns how many connections that were. */
  accept(): Promise<number> {
    const { sql, writer, connections, ring } = this.#parts;
    return writer.write(() => {
      ring.follow();
      clearMeta(sql, 'unconfirmed');
      let accepted = 0;
      for (const connection of this.#readable()) {
        const change = releaseCopied(connection);
        if (change === undefined) continue;
        accepted++;
        connections.replace(connection, { ...connection, ...change });
        addLife(sql, connection.id, event(connection, this.#facts(), 'copy_accepted', undefined));
      }
      return accepted;
    }, true);
  }

  /** Removes what killed writers left beside the mark, where the master key is made as well. */
  tidy(): Promise<void> {
    return removeLeftBehind(folderOf(this.#parts.markFile));
  }

  /** Lets the mark follow for the last time. */
  async close(): Promise<void> {
    await this.#marking;
    if (this.#isMarkBehind) await this.#writeMark();
  }

  #suspicion(mark: Mark | undefined): string | undefined {
    const { sql, ring, storeId, place } = this.#parts;
    return suspicionOf({ sql, keys: ring.keys, storeId, place }, mark);
  }

  #hold(mark: Mark | undefined): void {
    const { sql, ring, clock, storeId, place } = this.#parts;
    const { keys } = ring;
    const because = this.#suspicion(mark);
    // Another process may have been quicker.
    if (because === undefined) return;
    ring.follow();
    const marked = mark?.storeId === storeId ? mark.rotations : 0;
    clearMeta(sql, 'backup_at');
    writeVouched(sql, keys, 'place', JSON.stringify(place));
    writeMeta(sql, 'epoch', String(this.status().epoch + 1));
    const rotations = Math.max(this.#rotations(), marked) + 1;
    writeVouched(sql, keys, 'rotations', String(rotations));
    const held = this.#holdConnections(because);
    if (held === 0) return;
    const since = clock.now();
    writeMeta(sql, 'unconfirmed', JSON.stringify({ since, because }));
    addNotice(sql, undefined, {
      kind: 'store_copied',
      actor: 'operator',
      at: since,
      message: `the store was copied or restored (${because}); connections held lest a refresh token be used twice: ${String(held)}. If nothing else uses this store's connections any more: evergrant doctor --accept-copy`,
    });
  }

  #holdConnections(because: string): number {
    const { sql, connections, clients, clock, isFragile } = this.#parts;
    let held = 0;
    for (const connection of this.#readable()) {
      const client = clients.find(connection.clientId);
      const fragile = client === undefined || isFragile(client, connection);
      const after = { ...connection, ...holdCopied(connection, fragile, clock.now()) };
      connections.replace(connection, after);
      if (!isHeldCopy(after.state)) continue;
      held++;
      addLife(
        sql,
        connection.id,
        event(after, this.#facts(), 'uncertain', `${COPIED}: ${because}`),
      );
    }
    return held;
  }

  /** What is damaged cannot be used, so it need not be held. */
  *#readable(): Generator<ConnectionRecord> {
    for (const id of this.#parts.connections.ids()) {
      const connection = ignoringDamage(() => this.#parts.connections.find(id));
      if (connection !== undefined) yield connection;
    }
  }

  #rotations(): number {
    const { sql, ring } = this.#parts;
    return recordedRotations(sql, ring.keys);
  }

  #facts(): { readonly now: number; readonly by: string } {
    const { clock, machine } = this.#parts;
    return { now: clock.now(), by: `${machine.hostname} pid ${String(machine.pid)}` };
  }

  /** A mark that cannot be written costs a chance to notice, and no more. */
  async #writeMark(): Promise<void> {
    const { storeId, markFile, clock, writer } = this.#parts;
    this.#isMarkBehind = false;
    this.#markedAt = clock.monotonic();
    try {
      const rotations = writer.reading(() => this.#rotations());
      await writeMark(markFile, { storeId, rotations });
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

function isUnwritable(error: unknown): boolean {
  if (!(error instanceof StoreError)) return false;
  return error.code === 'ERR_STORE_READ_ONLY' || error.code === 'ERR_STORE_FULL';
}

function ignoringDamage<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StoreError && error.code === 'ERR_STORE_DAMAGED') return undefined;
    throw error;
  }
}
