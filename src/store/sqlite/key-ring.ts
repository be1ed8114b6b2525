import { StoreError } from '../../errors.ts';
import type { SealContext } from '../../connection/secrets.ts';
import { dataKeyIdOf, type DataKeys } from '../sealing.ts';
import { readNewerKey } from './keys.ts';
import type { Statements } from './statements.ts';

/** The data keys of an open store that other processes may rotate. */
export class KeyRing {
  /** The keys. */
  readonly keys: DataKeys;
  readonly #sql: Statements;

  /** Follows the rotations that the store tells of. */
  constructor(sql: Statements, keys: DataKeys) {
    this.#sql = sql;
    this.keys = keys;
  }

  /** Another process may have rotated the data key: what is written now must not lie under the retired one. Inside a write transaction. */
  follow(): void {
    const newer = readNewerKey(this.#sql, this.keys);
    if (newer === undefined) return;
    try {
      this.keys.use(newer);
    } catch (cause) {
      throw new StoreError(
        'ERR_KEY_WRONG',
        'another process changed the keys of the store so that this one cannot write to it; open it again',
        { cause },
      );
    }
  }

  /**
   * The same secret under the data key in use; the same bytes when it is there already, or when it does not open: whoever uses it is told,
   * and nobody else need be stopped.
   */
  reseal(sealed: Uint8Array, context: SealContext): Uint8Array {
    if (dataKeyIdOf(sealed) === this.keys.currentId) return sealed;
    return this.flawOf(sealed, context) === undefined
      ? this.keys.seal(this.keys.open(sealed, context), context)
      : sealed;
  }

  /** Why a secret does not open, in words; undefined when it does. */
  flawOf(sealed: Uint8Array, context: SealContext): string | undefined {
    try {
      this.keys.open(sealed, context);
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error.message;
      throw error;
    }
  }
}
