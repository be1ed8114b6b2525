import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { createInterface } from 'node:readline';
import { movableClock } from '../../src/emulator/movable-clock.ts';
import { EvergrantError } from '../../src/errors.ts';
import { openKeeper } from '../../src/keeper.ts';
import { systemClock } from '../../src/system/clock.ts';
import {
  CONNECTION,
  type KeeperLine,
  type KeeperOrder,
  type KeeperProcessOptions,
  type Served,
} from './keeper-process.ts';

/*
 * A keeper as a process of its own: `node --conditions=evergrant-test keeper.process.ts '<options as JSON>'`. It reads one order a line
 * and prints one line for each reply and event. Lines are written at once, so that a kill loses none that was told.
 */
const { home, aheadMs = 0 } = JSON.parse(process.argv[2] ?? '{}') as KeeperProcessOptions;
const clock = movableClock(systemClock);
clock.advance(aheadMs);
const keeper = await openKeeper({ home, clock, settings: { requestsPerSecond: 1_000 } });
const connection = keeper.connection(CONNECTION);

keeper.on('refreshing', ({ generation }) => print({ event: 'refreshing', generation }));
keeper.on('refreshed', ({ generation }) => print({ event: 'refreshed', generation }));
keeper.on('refresh_failed', ({ message }) => print({ event: 'refresh_failed', message }));
keeper.on('warning', ({ message }) => print({ event: 'warning', message }));

let isEnding = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end());

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, ...order } = JSON.parse(line) as KeeperOrder & { readonly id: number };
  void carryOut(order).then((result) => print({ reply: id, result: result ?? null }));
});
print({ ready: true });
// One that is killed leaves nothing for the next to start from, unless it does so now.
flushCompileCache();

async function carryOut(order: KeeperOrder): Promise<unknown> {
  switch (order.do) {
    case 'token': {
      const { callers = 1, do: _, ...demand } = order;
      return Promise.all(Array.from({ length: callers }, () => serve(demand)));
    }
    case 'refresh':
      for (let i = 0; i < (order.times ?? 1) && !isEnding; i++)
        await connection.refresh().catch(() => undefined);
      return undefined;
    case 'advance':
      return clock.advance(order.ms);
    case 'close':
      return keeper.close();
  }
}

/** As a service does that is asked to end. */
async function end(): Promise<void> {
  isEnding = true;
  await keeper.close();
  process.exit(0);
}

async function serve(demand: { minLifeMs?: number; timeoutMs?: number }): Promise<Served> {
  try {
    const { value, generation } = await connection.token(demand);
    return { value, generation };
  } catch (error) {
    if (!(error instanceof EvergrantError)) throw error;
    return { code: error.code, message: error.message };
  }
}

function print(line: KeeperLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
