import { dirname } from 'node:path';
import {
  privateFolder,
  readPrivateFile,
  readPrivateFileSync,
  writePrivateFile,
} from '../../system/files.ts';
import { identityOf } from '../../system/ownership.ts';

/*
 * A mark lies apart from the store and outlives it: it tells that there was one, and how far it had come.
 */

/** How far a store had come. */
export interface Mark {
  /** Id of the store. */
  readonly storeId: string;
  /** Token sets that it had recorded. */
  readonly rotations: number;
}

/**
 * Reads the mark; undefined when there is none.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when others could have written it.
 */
export async function readMark(path: string): Promise<Mark | undefined> {
  return markIn(await readPrivateFile(path));
}

/** As {@link readMark}, at once. */
export function readMarkSync(path: string): Mark | undefined {
  return markIn(readPrivateFileSync(path));
}

function markIn(bytes: Uint8Array | undefined): Mark | undefined {
  if (bytes === undefined) return undefined;
  const [storeId = '', rotations] = Buffer.from(bytes).toString('utf8').trim().split(' ');
  const count = Number(rotations ?? NaN);
  // A mark that is spoilt still tells that there was a store.
  return { storeId, rotations: Number.isFinite(count) ? count : 0 };
}

/**
 * Writes the mark, so that it is whole or the old one after a crash. Only the first is written durably: in place of another, a loss of power
 * may leave that one, or a spoilt one, which still tells that there was a store.
 */
export async function writeMark(path: string, { storeId, rotations }: Mark): Promise<void> {
  await privateFolder(dirname(path));
  const durable = (await identityOf(path)) === undefined;
  await writePrivateFile(path, `${storeId} ${String(rotations)}\n`, { durable });
}
