import { randomBytes, randomUUID } from 'node:crypto';

/** Randomness as the rest of evergrant sees it; tests replace it to replay a run. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive), for jitter; not for secrets. */
  fraction(): number;
  /** Unguessable bytes. */
  bytes(length: number): Uint8Array;
  /** A version 4 UUID, for ids. */
  uuid(): string;
}

/** The operating system's randomness. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
};
