import { systemClock } from '../../system/clock.ts';
import { callAtOnce, count, tellTokens } from '../count.ts';
import { connectAtOnce } from '../registration.ts';
import type { Scene } from '../scene.ts';

const CALLERS = 1_000;

/** However many callers there are when the token expires, one request is made. */
export const thousandCallers: Scene = {
  title: '1,000 callers ask as it expires',
  async play(world) {
    const granted = await connectAtOnce(world);
    world.pass(granted.lifeMs);
    const begunAt = systemClock.monotonic();
    const { results: tokens } = await callAtOnce(CALLERS, () =>
      granted.connection.token({ signal: world.signal }),
    );
    const tookMs = Math.ceil(systemClock.monotonic() - begunAt);
    const values = tokens.map(({ value }) => value);
    const requests = granted.requests();
    const [value = ''] = values;
    return {
      counted: `${count(requests.length, 'request')}; ${tellTokens(values)}; ${String(tookMs)} ms`,
      claims: {
        'one request was made': requests.length === 1 && requests[0]?.outcome === 'issued',
        'all got the same token': values.length === CALLERS && new Set(values).size === 1,
        'it is a new one that works':
          value !== granted.accessToken && world.emulator.isAccessTokenAlive(value),
      },
    };
  },
};
