import { expect, it } from 'vitest';
import { durationText } from '../../../src/connection/duration-text.ts';

it.each([
  [250, '250ms'],
  [1_000, '1s'],
  [300_000, '5m'],
  [5_399_000, '1h29m59s'],
  [59_999.6, '1m'],
  [7_776_000_000, '90d'],
  [90_061_000, '1d1h1m1s'],
])('%d ms are written %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
