import { callAtOnce, count } from '../count.ts';
import { listen, type Told } from '../notices.ts';
import { connectAtOnce, type Granted } from '../registration.ts';
import type { Scene } from '../scene.ts';
import type { World } from '../world.ts';

const OUTAGE_MS = 300_000;
const STEP_MS = 5_000;
const CALLERS = 100;

/** Pauses that double from seconds to minutes leave room for no more. */
const MOST_REQUESTS = 12;

/** When the outage begins, as a part of the token's life: renewal is due, and callers could still wait for it. */
const BEGINS_AT = 0.75;

/** The server is out, the token lives: nobody waits, and the server is left in peace. */
export const outage: Scene = {
  title: 'The token endpoint answers 503 for 5 minutes',
  async play(world) {
    const granted = await connectAtOnce(world);
    const keeper = await world.keeper();
    const told = listen(keeper);
    const pauses: number[] = [];
    keeper.on('refresh_failed', ({ retryAt = 0 }) => void pauses.push(retryAt));
    await granted.connection.token();
    world.pass(granted.lifeMs * BEGINS_AT);

    world.emulator.faults.always({ kind: 'server-error', status: 503 });
    const during = await live(world, granted, told, () => false);
    const failed = granted.requests().length;
    world.emulator.faults.clear();
    const after = await live(world, granted, told, () => granted.requests().length > failed);

    const requests = granted.requests();
    const { generation } = await granted.connection.status();
    const early = requests.slice(1).filter(({ at }, i) => at < (pauses[i] ?? Infinity)).length;
    const calls = during.calls + after.calls;
    const waited = during.waited + after.waited;
    return {
      counted: `${count(calls, 'call')}, ${String(waited)} waited; ${count(failed, 'request')}, ${String(early)} within a back-off; renewed by itself ${String(after.passedMs / 1000)} s later`,
      claims: {
        'no caller waited': waited === 0,
        'the server was asked again, and ever less often': failed > 1 && failed <= MOST_REQUESTS,
        'each refusal was told': failed === pauses.length,
        'no request was sent within a back-off': early === 0,
        'the token was renewed when the server was back':
          requests.at(-1)?.outcome === 'issued' && generation === 2,
        'nobody was troubled': told.notices.length === 0,
      },
    };
  },
};

interface Lived {
  readonly calls: number;
  readonly waited: number;
  readonly passedMs: number;
}

/** Lets time pass as a running keeper and its callers live through it, until `isOver` or as long as the outage lasts. */
async function live(
  world: World,
  { connection }: Granted,
  told: Told,
  isOver: () => boolean,
): Promise<Lived> {
  let lived: Lived = { calls: 0, waited: 0, passedMs: 0 };
  while (lived.passedMs < OUTAGE_MS && !isOver() && !world.signal.aborted) {
    world.pass(STEP_MS);
    await told.upkeep();
    const { waited } = await callAtOnce(CALLERS, () => connection.token());
    lived = {
      calls: lived.calls + CALLERS,
      waited: lived.waited + waited,
      passedMs: lived.passedMs + STEP_MS,
    };
  }
  return lived;
}
