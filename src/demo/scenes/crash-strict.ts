import { AuthorizationRequiredError } from '../../errors.ts';
import type { Connection } from '../../keeper-api.ts';
import { callAtOnce, count, often } from '../count.ts';
import { killDuringRefresh } from '../held-answer.ts';
import { listen } from '../notices.ts';
import { signIn } from '../person.ts';
import { connectAtOnce, NAME, registrationAt } from '../registration.ts';
import type { Finding, Scene } from '../scene.ts';
import type { World } from '../world.ts';

const READS = 1_000;
const STRICT = { rotation: 'single-use' } as const;

/** What is left of the access token's life when the process is killed. */
export const LEFT_MS = 120_000;

/** Where a refresh token is good once, a crash at the wrong moment cannot be undone: it is made known, and never made worse. */
export const crashAtStrict: Scene = {
  title: 'The same where a used refresh token is dead (single use)',
  async play(world) {
    const granted = await connectAtOnce(world, STRICT);
    await world.forget();
    world.catchUp();
    const killedBy = await killDuringRefresh(world);
    const keeper = await world.keeper();
    const connection = keeper.connection(NAME);
    const told = listen(keeper);

    const living = await callAtOnce(READS, () => connection.token({ signal: world.signal }));
    await told.upkeep();
    await told.upkeep();
    const served = living.results.filter(({ value }) => value === granted.accessToken).length;
    const wasAlive = world.emulator.isAccessTokenAlive(granted.accessToken);
    const doubts = told.notices.length;
    const requestsWhileLiving = granted.requests().length;
    const { state } = await connection.status();

    world.pass(LEFT_MS);
    const ending = await end(connection, world);
    const requests = granted.requests();
    return {
      counted: `the living token served ${often(served)}, owner told ${often(doubts)}; at its end ${count(requests.length - 1, 'last request')}, ${ending.outcome}`,
      claims: {
        'the process was killed': killedBy === 'SIGKILL',
        'the token was served while it lived': served === READS && wasAlive,
        'the connection was called uncertain': state === 'uncertain',
        'the owner was told once': doubts === 1 && told.notices[0]?.kind === 'uncertain',
        'nothing was sent while the token lived': requestsWhileLiving === 1,
        'one last try was made': requests.length === 2 && requests[1]?.replay === true,
        ...ending.claims,
      },
    };
  },
};

/** The access token has ended: the last try, what it comes to, and the person's cure. */
async function end(
  connection: Connection,
  world: World,
): Promise<{ readonly outcome: string; readonly claims: Finding['claims'] }> {
  const { signal, emulator } = world;
  const failure: unknown = await connection.token({ signal }).catch((error: unknown) => error);
  const { state, actor } = await connection.status();
  const refused = failure instanceof AuthorizationRequiredError;
  const keeper = await world.keeper();
  const again = await keeper.connect(NAME, {
    ...registrationAt(emulator, STRICT),
    prompt: {
      authorize: ({ url }) => signIn(url, signal),
      confirmSubject: () => Promise.resolve(true),
    },
    reconnect: true,
    signal,
  });
  const { value } = await again.token({ signal });
  const healed = emulator.isAccessTokenAlive(value);
  return {
    outcome: `${refused ? 'refused' : 'not refused'}; a new sign-in ${healed ? 'healed it' : 'did not help'}`,
    claims: {
      'the caller was told that a person must sign in': refused,
      'the owner must act': state === 'attention' && actor === 'owner',
      'a new sign-in healed it': healed,
    },
  };
}
