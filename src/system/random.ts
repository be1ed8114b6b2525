import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';

/** Randomness as the rest of evergrant sees it; tests replace it to replay a run. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive), for jitter; not for secrets. */
  fraction(): number;
  /** Unguessable bytes. */
  bytes(length: number): Uint8Array;
  /** A version 4 UUID, for ids. */
  uuid(): string;
}

const MOST_FROM_STOCK = 64;
const stock = Buffer.alloc(2_048);
let taken = stock.length;

/** Asking the operating system costs the same for twelve bytes as for thousands. What was handed out is wiped from the stock. */
function fromStock(length: number): Uint8Array {
  if (taken + length > stock.length) {
    randomFillSync(stock);
    taken = 0;
  }
  const part = stock.subarray(taken, taken + length);
  taken += length;
  const bytes = new Uint8Array(part);
  part.fill(0);
  return bytes;
}

/** The operating system's randomness. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: (length) => (length > MOST_FROM_STOCK ? randomBytes(length) : fromStock(length)),
  uuid: () => randomUUID(),
};
