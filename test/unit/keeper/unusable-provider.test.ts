import { expect, it } from 'vitest';
import { worldFixture, type World } from '../../support/keeper-under-test.ts';
import { clientRecord, connectionRecord, lifeEvent } from '../../support/store-records.ts';

const makeWorld = worldFixture();

/*
 * One store, several versions of evergrant: a newer one may have stored a registration that this one does not know how to use.
 */

const FAULT = 'there is no provider "of-tomorrow"; known are perspio, entra, generic';

/** A world with a connection `known`, and one, `strange`, of a provider that this version has never heard of. */
async function besideStrange(): Promise<World> {
  const world = await makeWorld();
  await world.add('known');
  const { store } = world.first;
  await store.putClient(clientRecord(store, { provider: 'of-tomorrow' }));
  await store.insert(connectionRecord(store, 'strange'), lifeEvent('connected'));
  return world;
}

it('a connection that this version cannot use hides no other, and says what it needs', async () => {
  const { keeper } = (await besideStrange()).first;
  const needs = {
    actor: 'operator',
    reason: FAULT,
    remedy:
      'use it with the version of evergrant that stored it, or a newer one, or connect it anew',
    rotation: 'unknown',
  };
  expect(await keeper.list()).toMatchObject([
    { name: 'known', actor: undefined, rotation: 'reusable' },
    { name: 'strange', ...needs },
  ]);
  expect(await keeper.connection('strange').status()).toMatchObject(needs);
  await expect(keeper.connection('strange').refresh()).rejects.toMatchObject({
    code: 'ERR_PROVIDER_UNKNOWN',
  });
});

it('its background tells so once, and renews the others', async () => {
  const world = await besideStrange();
  world.first.keeper.start();
  await world.pass(120_000);
  const warnings = world.first.events.filter(({ event }) => event === 'warning');
  expect(warnings.map(({ detail }) => detail)).toEqual([{ connection: undefined, message: FAULT }]);
  await world.pass(2_700_000);
  expect((await world.first.keeper.connection('known').status()).generation).toBe(2);
});
