import { expect, it } from 'vitest';
import type { Client, Explanation } from '../../../src/dashboard/data/types.ts';
import { daemonFixture } from '../../support/daemon-fixture.ts';

const start = daemonFixture();

/** What becomes of a value on the wire: what is undefined is null. */
type Wire<T> = T extends readonly (infer E)[]
  ? readonly Wire<E>[]
  : T extends object
    ? { readonly [K in keyof T]-?: WireMember<T[K]> }
    : T;
type WireMember<T> = undefined extends T ? Wire<Exclude<T, undefined>> | null : Wire<T>;

function wire<T>(value: T): Wire<T> {
  return JSON.parse(
    JSON.stringify(value, (_, member: unknown) => (member === undefined ? null : member)),
  ) as Wire<T>;
}

it('the types that the dashboard has of answers fit those of the keeper, and both what is sent', async () => {
  const { world, ask } = await start();
  await world.add('alpha');
  const { keeper } = world.first;
  // The compiler is what holds the dashboard's types against the keeper's, here.
  const clients: readonly Client[] = wire(await keeper.clients());
  const explanation: Explanation = wire(await keeper.connection('alpha').explain());
  expect((await ask('/v1/clients')).json.clients).toEqual(clients);
  expect((await ask('/v1/connections/alpha/explanation')).json).toEqual(explanation);
});
