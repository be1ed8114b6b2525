import { expect, it } from 'vitest';
import type { Engine } from '../../../src/refresh/engine.ts';
import { Deliveries } from '../../../src/refresh/notices.ts';
import { fakeClock } from '../../support/fake-clock.ts';

it('an outbox that cannot be read is told of as a warning, and read at the next delivery', async () => {
  let looks = 0;
  const events: unknown[] = [];
  const store = {
    pendingNotices: () => {
      looks++;
      return looks === 1 ? Promise.reject(new Error('the disk is gone')) : Promise.resolve([]);
    },
  };
  const emit = (event: string, detail: object): unknown => events.push([event, detail]);
  const engine = { store, emit, clock: fakeClock() } as unknown as Engine;
  const deliveries = new Deliveries(engine, () => Promise.resolve());
  await deliveries.deliver();
  expect(events).toEqual([['warning', { connection: undefined, message: 'the disk is gone' }]]);
  await deliveries.deliver();
  expect([looks, events.length]).toEqual([2, 1]);
});
