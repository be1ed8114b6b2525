import { expect, it } from 'vitest';
import type { Engine } from '../../../src/refresh/engine.ts';
import { Deliveries } from '../../../src/refresh/notices.ts';
import { fakeClock } from '../../support/fake-clock.ts';

it.each([
  ['an error', new Error('the disk is gone'), 'the disk is gone'],
  ['anything else', 'odd', 'odd'],
])(
  'where the outbox cannot be read, %s is told as a warning, and the next look reads it',
  async (_what, thrown, message) => {
    let looks = 0;
    const events: unknown[] = [];
    const store = {
      pendingNotices: () => {
        looks++;
        return looks === 1 ? Promise.reject(thrown) : Promise.resolve([]);
      },
    };
    const emit = (event: string, detail: object): unknown => events.push([event, detail]);
    const engine = { store, emit, clock: fakeClock() } as unknown as Engine;
    const deliveries = new Deliveries(engine, () => Promise.resolve());
    await deliveries.deliver();
    expect(events).toEqual([['warning', { connection: undefined, message }]]);
    await deliveries.deliver();
    expect([looks, events.length]).toEqual([2, 1]);
  },
);
