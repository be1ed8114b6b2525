import type { Random } from '../system/random.ts';

/** Repeatable randomness for tests: the same seed gives the same tokens, lives and faults. Not for secrets that matter. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  // Mulberry32: 32 bits of state are plenty for a test run, and a seed is easily printed.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const bytes = (length: number): Uint8Array => {
    const filled = new Uint8Array(length);
    for (let i = 0; i < length; i++) filled[i] = next() >>> 24;
    return filled;
  };
  const uuid = (): string => {
    const hex = Buffer.from(bytes(16)).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  };
  return { fraction: () => next() / 0x1_0000_0000, bytes, uuid };
}
