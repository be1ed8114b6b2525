import { StoreError } from '../../src/errors.ts';

/** Repeats a write that was refused because others hold the store, as on a busy machine they may for longer than a write waits. */
export async function whenFree<T>(write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'ERR_STORE_LOCKED')) throw error;
    }
  }
}
