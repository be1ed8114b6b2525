import { systemClock } from '../../system/clock.ts';
import { count } from '../count.ts';
import { killDuringRefresh } from '../held-answer.ts';
import { connectAtOnce, NAME } from '../registration.ts';
import type { Scene } from '../scene.ts';

/** Where a refresh token may be used again, as at Perspio, a crash costs nothing. */
export const crashAtReusable: Scene = {
  title: 'kill -9 in the middle of a refresh; used refresh tokens stay good, as at Perspio',
  async play(world) {
    const { emulator, signal } = world;
    const granted = await connectAtOnce(world);
    await world.forget();
    world.catchUp();
    const killedBy = await killDuringRefresh(world);
    const begunAt = systemClock.monotonic();
    const restarted = await world.run('token', NAME).finished;
    const tookMs = Math.ceil(systemClock.monotonic() - begunAt);
    const healed = (await world.keeper()).connection(NAME);
    const { generation, state } = await healed.refresh({ signal });
    const [lost, again, next, ...more] = granted.requests();
    return {
      counted: `the answer is lost; the next process heals it: ${count(again === undefined ? 0 : 1, 'request')}, ${String(tookMs)} ms`,
      claims: {
        'the process was killed': killedBy === 'SIGKILL',
        'the server had carried its request out': lost?.committed === true,
        'the next process printed a token that works':
          restarted.code === 0 && emulator.isAccessTokenAlive(restarted.stdout),
        'it used the same refresh token': again?.replay === true && again.outcome === 'issued',
        'the new refresh token was stored': next?.presentedFingerprint === again?.issuedFingerprint,
        'nothing else was sent': more.length === 0,
        'the connection is well': state === 'active' && generation === 3,
      },
    };
  },
};
