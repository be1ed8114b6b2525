import { expect, it } from 'vitest';
import { findProvider } from '../../../src/providers/providers.ts';
import { heldBackUntil, newApiMemory, throttle } from '../../../src/resource/memory.ts';

const NOW = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const { limits } = findProvider('perspio').api ?? {};

it('a quota that is used up for an hour holds calls back to its end, though one under way meets a shorter limit', () => {
  const memory = newApiMemory();
  throttle(memory, limits, NOW, 1_800_000);
  throttle(memory, limits, NOW + 5, 41_000);
  expect(heldBackUntil(memory, NOW + 60_000)).toBe(NOW + 1_800_000);
  throttle(memory, limits, NOW + 10, HOUR_MS);
  expect(heldBackUntil(memory, NOW + 60_000)).toBe(NOW + 10 + HOUR_MS);
});

it('an earlier wait counts no more once it is over, or the clock was set back', () => {
  const memory = newApiMemory();
  throttle(memory, limits, NOW, 41_000);
  throttle(memory, limits, NOW - HOUR_MS, 5_000);
  expect(heldBackUntil(memory, NOW - HOUR_MS + 6_000)).toBeUndefined();
  throttle(memory, limits, NOW, 10_000);
  expect(heldBackUntil(memory, NOW + 1)).toBe(NOW + 10_000);
});
