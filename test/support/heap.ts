import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** One may come before the buffers that it found are given back, or a WeakRef lets go at the end of its turn: what is held stays through all. */
const COLLECTIONS = 5;

/** Bytes in use after full collections: the heap, and what it holds outside. */
export async function heapBytes(): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < COLLECTIONS; i++) {
    await setImmediate();
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}
