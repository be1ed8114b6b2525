import { sleep, systemClock } from '../../system/clock.ts';
import { count, tellTokens } from '../count.ts';
import { untilHeld } from '../held-answer.ts';
import { connectAtOnce, NAME } from '../registration.ts';
import type { Scene } from '../scene.ts';

const PROCESSES = 8;

/** The answer is held back for so long, that the other processes have started and want a token as well. */
const HELD_MS = 1_000;

/** However many processes share the home when the token expires, one request is made. */
export const eightProcesses: Scene = {
  title: '8 processes ask as it expires',
  async play(world) {
    const { emulator, signal } = world;
    const granted = await connectAtOnce(world);
    await world.forget();
    world.catchUp();
    emulator.faults.next('hold-after-commit');
    const processes = Array.from({ length: PROCESSES }, () => world.run('token', NAME));
    await untilHeld(world, processes);
    await sleep(systemClock, HELD_MS, signal);
    emulator.faults.release();
    const ended = await Promise.all(processes.map(({ finished }) => finished));
    const tokens = ended.filter(({ code }) => code === 0).map(({ stdout }) => stdout);
    const requests = granted.requests();
    const [value = ''] = tokens;
    return {
      counted: `${count(requests.length, 'request')}; ${tellTokens(tokens)}`,
      claims: {
        'one request was made': requests.length === 1 && requests[0]?.outcome === 'issued',
        'every process printed a token': tokens.length === PROCESSES,
        'all printed the same token': new Set(tokens).size === 1,
        'it is a new one that works':
          value !== granted.accessToken && emulator.isAccessTokenAlive(value),
      },
    };
  },
};
