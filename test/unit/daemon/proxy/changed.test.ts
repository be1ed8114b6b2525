import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Keeper } from '../../../../src/keeper-api.ts';
import type { ProfileOverrides } from '../../../../src/providers/profile.ts';
import { openRemote } from '../../../../src/remote/open-remote.ts';
import { homePaths } from '../../../../src/system/home.ts';
import { startApi, type ApiServer } from '../../../support/api-server.ts';
import { daemonFixture, type TestDaemon } from '../../../support/daemon-fixture.ts';
import { setSabotage } from '../../../support/failpoints.ts';

/*
 * A connection is moved to another API while a call of the old one is under way. The old API may be the reason for the move, and must never see
 * a token of the new one.
 */

const start = daemonFixture();
const opened: Keeper[] = [];

afterEach(async () => {
  setSabotage('call-registration', false);
  await Promise.all(opened.splice(0).map((keeper) => keeper.close()));
});

/** What came of a call: its status, or the code of its error. */
type Call = (test: TestDaemon) => Promise<number | string>;

const WAYS: readonly (readonly [string, Call])[] = [
  [
    'the proxy',
    async ({ ask }) => {
      const { status, json } = await ask('/proxy/a/things');
      return (json?.code as string | undefined) ?? status;
    },
  ],
  ['connection.fetch', ({ world }) => fetchBy(world.first.keeper)],
  [
    'fetch through a daemon',
    async ({ daemon, world }) => {
      const paths = homePaths(world.home, {});
      const keeper = await openRemote({ socket: daemon.socket }, paths, world.clock);
      opened.push(keeper);
      return fetchBy(keeper);
    },
  ],
];

async function fetchBy(keeper: Keeper): Promise<number | string> {
  try {
    return (await keeper.connection('a').fetch('things')).status;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
}

function at({ origin }: ApiServer): { readonly overrides: ProfileOverrides } {
  return { overrides: { api: { origins: [origin], base: `${origin}/` } } };
}

/** An API that answers a call with 401 when it is told to, and all that come after with 200. */
async function holdingApi(): Promise<
  ApiServer & { readonly asked: Promise<true>; refuse(): void }
> {
  const asked = Promise.withResolvers<true>();
  let held: ServerResponse | undefined;
  const api = await startApi((_incoming, response) => {
    if (held !== undefined) response.end('{}');
    held ??= response;
    asked.resolve(true);
  });
  const refuse = (): void => {
    held?.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
  };
  return { ...api, asked: asked.promise, refuse };
}

const bearers = ({ seen }: ApiServer): unknown[] =>
  seen.map(({ headers }) => headers.authorization?.replace('Bearer ', ''));

describe.each(WAYS)('while a call by %s is under way', (_way, call) => {
  it('its API is not told the token of the API that the connection is moved to', async () => {
    await using old = await holdingApi();
    await using next = await startApi((_incoming, response) => response.end('{}'));
    const test = await start();
    const { world } = test;
    const { grant } = await world.add('a', at(old));
    const called = call(test);
    await old.asked;
    const moved = await world.add('a', { ...at(next), replace: true });
    old.refuse();
    expect(await world.during(called)).toBe('ERR_CONNECTION_CHANGED');
    expect(bearers(old)).toEqual([grant.accessToken]);
    expect(await world.during(call(test))).toBe(200);
    expect(bearers(next)).toEqual([moved.grant.accessToken]);
  });

  it('nor is it when the call still waits for a token', async () => {
    await using old = await startApi((_incoming, response) => response.end('{}'));
    await using next = await startApi((_incoming, response) => response.end('{}'));
    const test = await start();
    const { world } = test;
    await world.add('a', { ...at(old), withoutAccessToken: true });
    world.emulator.faults.next('hold-before-commit');
    const called = call(test);
    await world.emulator.ledger.waitFor(1, { held: true });
    await world.add('a', { ...at(next), replace: true });
    world.emulator.faults.release();
    expect(await world.during(called)).toBe('ERR_CONNECTION_CHANGED');
    expect([bearers(old), bearers(next)]).toEqual([[], []]);
  });

  it('a new grant of the same registration is used for its repetition', async () => {
    await using api = await holdingApi();
    const test = await start();
    const { world } = test;
    const { grant } = await world.add('a', at(api));
    const called = call(test);
    await api.asked;
    const again = await world.add('a', { ...at(api), replace: true });
    api.refuse();
    expect(await world.during(called)).toBe(200);
    expect(bearers(api)).toEqual([grant.accessToken, again.grant.accessToken]);
  });

  it('a connection that takes over its name does not answer for it', async () => {
    await using api = await holdingApi();
    const test = await start();
    const { world } = test;
    const { connection, grant } = await world.add('a', at(api));
    const called = call(test);
    await api.asked;
    await connection.rename('b');
    const other = await world.add('a', at(api));
    api.refuse();
    expect(await world.during(called)).toBe(200);
    const [first, second] = bearers(api);
    expect(first).toBe(grant.accessToken);
    expect(second).not.toBe(other.grant.accessToken);
    expect(second).toBe((await world.first.keeper.connection('b').token()).value);
  });

  it('and this notices when registrations are not compared', async () => {
    await using old = await holdingApi();
    const test = await start();
    const { world } = test;
    await world.add('a', at(old));
    const called = call(test);
    await old.asked;
    const moved = await world.add('a', { replace: true });
    setSabotage('call-registration', true);
    old.refuse();
    expect(await world.during(called)).toBe(200);
    expect(bearers(old)[1]).toBe(moved.grant.accessToken);
  });
});
