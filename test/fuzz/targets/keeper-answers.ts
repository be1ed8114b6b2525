import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { openRefreshToken } from '../../../src/connection/token-set.ts';
import { EvergrantError } from '../../../src/errors.ts';
import { openHome, type OpenHome } from '../../../src/keeper.ts';
import type { Connection } from '../../../src/keeper-api.ts';
import type { HttpResponse } from '../../../src/system/http.ts';
import { setSabotage } from '../../support/failpoints.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { breachOfError, breachOfPrototype } from '../judge.ts';
import {
  answerOf,
  bringsRefreshToken,
  CANARIES,
  errorText,
  heldIn,
  isShallow,
  knowable,
  successText,
} from './answers.ts';

/*
 * The same answers through a whole keeper with a store on disk: whatever the server says, the caller meets evergrant's own errors, and the
 * refresh token at hand stays unless the answer brought another.
 */

const [clientSecret, sent] = CANARIES.map(({ value }) => value) as [string, string];

async function attackOnce(
  { keeper, store }: OpenHome,
  name: string,
  answer: { readonly body: Uint8Array; readonly status: number },
): Promise<Sight> {
  const connection = await keeper.add(name, {
    provider: 'generic',
    client: { clientId: name, clientSecret },
    overrides: { tokenEndpoint: `https://${name}.example/token`, rotation: 'single-use' },
    tokens: { refreshToken: sent },
  });
  const error: unknown = await connection.refresh().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const secrets = knowable(answer.body);
  const breach =
    breachOfPrototype() ??
    (error === undefined ? undefined : breachOfError(error, secrets)) ??
    (await breachOfStored(store, connection, answer));
  const met = error instanceof EvergrantError ? error.code : 'refreshed';
  return { met, breach, input: inspect(Buffer.from(answer.body).toString('latin1')) };
}

async function breachOfStored(
  store: OpenHome['store'],
  connection: Connection,
  { body, status }: { readonly body: Uint8Array; readonly status: number },
): Promise<string | undefined> {
  const { id } = await connection.status();
  const view = await store.read(id);
  if (view === undefined) return 'the connection is gone';
  const stored = openRefreshToken(store.sealer, view.connection)?.reveal();
  if (view.connection.generation === 1) {
    if (stored !== sent) return 'the refresh token changed without a success';
    const isLost = status >= 200 && status < 300 && bringsRefreshToken(body);
    return isLost && (await store.leftovers(id)).length === 0 ? 'lost' : undefined;
  }
  if (!isShallow(body)) return stored === undefined ? 'the refresh token is gone' : undefined;
  const [issued = sent, ...more] = heldIn(body).get('refresh_token') ?? [];
  // An empty one is none.
  const right = typeof issued === 'string' && issued !== '' ? issued : sent;
  const isRight = more.length === 0 && stored === right;
  return isRight ? undefined : `another refresh token is stored: ${String(stored)}`;
}

async function open(defect?: string): Promise<Door> {
  const folder = await mkdtemp(
    path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'evergrant-answers-'),
  );
  let answer: HttpResponse | undefined;
  const home = await openHome({
    home: path.join(folder, 'home'),
    clock: fakeClock(),
    http: {
      connect: async () => ({
        send: async () => answer ?? Promise.reject(new TypeError('nothing is asked for')),
        close: () => undefined,
      }),
      close: () => undefined,
    },
  });
  setSabotage('redaction', defect !== undefined);
  let count = 0;
  return {
    attack(dice: Dice): Promise<Sight> {
      answer = answerOf(dice, dice.chance(0.5) ? successText(dice) : errorText(dice));
      return attackOnce(home, `as${String(++count)}`, answer);
    },
    async [Symbol.asyncDispose]() {
      setSabotage('redaction', false);
      await home.keeper.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Token and error answers, to a keeper. */
export const keeperAnswers: Fuzzer = {
  name: 'keeper-answers',
  trials: 300,
  fullTrials: 10_000,
  reaches: [
    'refreshed',
    'ERR_OUTCOME_UNCERTAIN',
    'ERR_REQUEST_REFUSED',
    'ERR_GRANT_REFUSED',
    'ERR_SERVER_THROTTLED',
  ],
  defects: ['repeats what the server said'],
  open,
};
