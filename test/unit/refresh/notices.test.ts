import { expect, it } from 'vitest';
import type { Engine } from '../../../src/refresh/engine.ts';
import { Deliveries } from '../../../src/refresh/notices.ts';
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts';

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

/** An outbox of so many messages, which are tried again a minute after they could not be delivered. */
function outbox(many: number): {
  readonly engine: Engine;
  readonly delivered: number[];
  left(): number;
} {
  const clock = fakeClock();
  const waiting = new Map(Array.from({ length: many }, (_, i) => [i, -Infinity]));
  const delivered: number[] = [];
  const store = {
    pendingNotices: (now: number, limit: number) =>
      Promise.resolve(
        [...waiting].flatMap(([id, until]) => (until <= now ? [{ id }] : [])).slice(0, limit),
      ),
    reserveNotice: (id: number, _now: number, until: number) => {
      waiting.set(id, until);
      return Promise.resolve(true);
    },
    noticeDelivered: (id: number) => {
      waiting.delete(id);
      delivered.push(id);
      return Promise.resolve();
    },
  };
  const log = { warn: () => undefined };
  const engine = { store, emit: () => undefined, clock, log } as unknown as Engine;
  return { engine, delivered, left: () => waiting.size };
}

it('one delivery is of all messages that wait, however many, in their order', async () => {
  const { engine, delivered, left } = outbox(50);
  await new Deliveries(engine, () => Promise.resolve()).deliver();
  expect([delivered, left()]).toEqual([Array.from({ length: 50 }, (_, i) => i), 0]);
});

it('a command that refuses all of them, each for longer than they are put off, is asked for each once', async () => {
  const { engine, left } = outbox(50);
  let asked = 0;
  const channel = async (): Promise<never> => {
    asked++;
    await (engine.clock as FakeClock).advance(61_000);
    throw new Error('the command failed');
  };
  await new Deliveries(engine, channel).deliver();
  expect([asked, left()]).toEqual([50, 50]);
});

it('a delivery that is ended begins none of the rest', async () => {
  const { engine, delivered } = outbox(50);
  const deliveries = new Deliveries(engine, ({ id }) => {
    if (id === 29) deliveries.end();
    return Promise.resolve();
  });
  await deliveries.deliver();
  expect(delivered).toHaveLength(30);
});
