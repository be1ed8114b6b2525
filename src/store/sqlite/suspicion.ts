import { StoreError } from '../../errors.ts';
import { isLastingMachineId } from '../../system/machine.ts';
import type { DataKeys } from '../sealing.ts';
import type { Mark } from './mark.ts';
import { readMeta, readVouched } from './meta.ts';
import type { Statements } from './statements.ts';

/*
 * Notices that a store is not the one it was: a copied file has another inode, a copied home another machine, a backup says so itself, and
 * one that was put in place of the newer store knows of fewer token sets than the mark that lies apart from it. What cannot be noticed: a
 * disk or machine cloned as a whole, and a store rolled back together with its mark into the same inode.
 */

/** Where a store was last known to be. */
export interface Place {
  /** Identity of its file. */
  readonly file: string;
  /** Identity of its machine. */
  readonly machineId: string;
}

/** What an open store knows of itself. */
export interface Known {
  /** The open store. */
  readonly sql: Statements;
  /** Its data keys. */
  readonly keys: DataKeys;
  /** Its id. */
  readonly storeId: string;
  /** Where it is now. */
  readonly place: Place;
}

/**
 * What gives a copy away, in words; undefined when nothing does.
 *
 * @throws {@link StoreError} `ERR_STORE_DAMAGED` when the store has lost what it knew of its place.
 */
export function suspicionOf(
  { sql, keys, storeId, place }: Known,
  mark: Mark | undefined,
): string | undefined {
  if (readMeta(sql, 'backup_at') !== undefined) return 'its file is a backup';
  const known = parseOwn(readVouched(sql, keys, 'place')) as Place;
  if (known.file !== place.file) return 'its file is another than before';
  const isElsewhere = known.machineId !== place.machineId;
  if (isElsewhere && [known, place].every(({ machineId }) => isLastingMachineId(machineId))) {
    return 'it is on another machine than before';
  }
  const isOlder = mark?.storeId === storeId && recordedRotations(sql, keys) < mark.rotations;
  return isOlder ? 'it is older than it was' : undefined;
}

/** Token sets that a store has recorded. */
export function recordedRotations(sql: Statements, keys: DataKeys): number {
  return Number(readVouched(sql, keys, 'rotations'));
}

/** Reads what the store wrote of itself as JSON. @throws {@link StoreError} `ERR_STORE_DAMAGED` */
export function parseOwn(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new StoreError(
      'ERR_STORE_DAMAGED',
      'the store has lost what it knew of its place; restore a backup, nothing was changed',
    );
  }
}
