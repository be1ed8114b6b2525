import { expect, it } from 'vitest';
import { drawInOutage } from './experiments/socket-outage.ts';

it('tokens that live are drawn on the socket while the server hangs and 500 refreshes wait for it', async () => {
  const { counted, violations } = await drawInOutage(1_000);
  console.log(counted);
  expect(violations).toEqual([]);
  expect([counted['tokens drawn'], counted['waiting refreshes']]).toEqual([1_000, 500]);
}, 300_000);
