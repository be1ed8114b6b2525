import { setImmediate as turn } from 'node:timers/promises';
import { openKeeper } from '../../src/keeper.ts';
import type { Http } from '../../src/system/http.ts';
import type { Prepare } from '../harness/contender.ts';
import { addInBulk } from '../support/bulk.ts';
import { addConnections, makeHome, nameOf, openBenchKeeper, removeHome } from '../support/home.ts';
import { steppedClock } from '../support/stepped-clock.ts';
import { accessToken, refreshToken } from '../support/tokens.ts';

/** How much a scheduler holds. */
interface Task {
  /** Connections in the store. */
  readonly held: number;
  /** So many of them come due each round. */
  readonly due: number;
}

const HOUR_MS = 3_600_000;
const DECADE_MS = 87_600 * HOUR_MS;

/** Ours: `keeper.start()` wakes up, finds what is due, renews it over a network that answers at once, and goes to sleep again. */
const prepare: Prepare<Task> = async ({ held, due }) => {
  const home = await makeHome();
  const filling = await openBenchKeeper(home);
  await addConnections(filling.keeper, due, { tokenEndpoint: 'http://127.0.0.1:9/token' });
  await filling.keeper.close();
  const others = { from: due, count: held - due, laterMs: DECADE_MS, sealed: false };
  await addInBulk(home, { like: nameOf(0), ...others });
  const clock = steppedClock();
  const settings = { requestsPerSecond: 10_000 };
  const keeper = await openKeeper({ home, clock, settings, http: answering() });
  let renewed = 0;
  keeper.on('refreshed', () => renewed++);
  const asleep = async (): Promise<void> => {
    while (clock.waiting.length !== 1) await turn();
  };
  keeper.start();
  await asleep();
  return {
    async round() {
      renewed = 0;
      clock.step(HOUR_MS);
      while (renewed < due) await turn();
      await asleep();
      return undefined;
    },
    async close() {
      await keeper.close();
      await removeHome(home);
    },
  };
};

/** A network that answers at once. */
function answering(): Http {
  let number = 0;
  const answer = (): Uint8Array =>
    Buffer.from(
      JSON.stringify({
        token_type: 'Bearer',
        expires_in: 3600,
        access_token: accessToken(++number),
        refresh_token: refreshToken(number),
      }),
    );
  const headers = { 'content-type': 'application/json' };
  return {
    connect: async () => ({
      send: async () => ({ status: 200, headers, body: answer() }),
      close: () => undefined,
    }),
    close: () => undefined,
  };
}

export default prepare;
