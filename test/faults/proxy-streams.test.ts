import { expect, it } from 'vitest';
import { streamLong } from './experiments/proxy-streams.ts';

it('streams of 64 MiB pass the proxy whole, and its memory stays flat', async () => {
  const { violations, counted } = await streamLong(64);
  expect(violations).toEqual([]);
  expect(counted['streams']).toBe(6);
}, 300_000);
