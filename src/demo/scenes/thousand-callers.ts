import { systemClock } from '../../system/clock.ts';
import { connectAtOnce } from '../registration.ts';
import type { Scene } from '../scene.ts';

const CALLERS = 1_000;

/** However many callers there are when the token expires, one request is made. */
export const thousandCallers: Scene = {
  title: '1,000 callers ask at the moment of expiry',
  async play(world) {
    const { connection, accessToken, lifeMs, requests } = await connectAtOnce(world);
    world.pass(lifeMs);
    const begunAt = systemClock.monotonic();
    const tokens = await Promise.all(
      Array.from({ length: CALLERS }, () => connection.token({ signal: world.signal })),
    );
    const tookMs = Math.ceil(systemClock.monotonic() - begunAt);
    const values = new Set(tokens.map(({ value }) => value));
    const sent = requests();
    const [value = ''] = values;
    return {
      counted: `${String(sent.length)} request, ${tokens.length.toLocaleString('en')} tokens, ${String(values.size)} different, ${String(tookMs)} ms`,
      claims: {
        'one request was made': sent.length === 1 && sent[0]?.outcome === 'issued',
        'all got the same token': values.size === 1 && tokens.length === CALLERS,
        'it is a new one that works':
          value !== accessToken && world.emulator.isAccessTokenAlive(value),
      },
    };
  },
};
