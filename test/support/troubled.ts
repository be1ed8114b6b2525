import type { World } from './keeper-under-test.ts';

/** Brings connections into every state that the dashboard tells apart. */
export async function makeTrouble(world: World): Promise<void> {
  const { emulator, first } = world;
  const { keeper } = first;
  for (const name of ['billing-export', 'fleet-sync', 'perspio-main', 'weekly-report'])
    await world.add(name);
  await world.connect('nightly-job');
  const revoked = await world.add('crm-import');
  const uncertain = await world.add('orders-sync', {
    overrides: { rotation: 'single-use' },
  });
  await world.add('old-integration');
  await world.add('test-tenant');
  emulator.revokeGrant(revoked.grant.grantId, { accessTokens: false });
  await world.during(revoked.connection.refresh()).catch(() => undefined);
  await world.during(keeper.connection('billing-export').refresh());
  await world.during(keeper.connection('billing-export').refresh());
  emulator.faults.next('cut-after-commit');
  await world.during(uncertain.connection.refresh()).catch(() => undefined);
  emulator.faults.next('server-error');
  await world.during(keeper.connection('fleet-sync').refresh()).catch(() => undefined);
  await world.during(keeper.connection('test-tenant').pause());
  await world.during(keeper.connection('old-integration').disconnect());
  const secretExpiresAt = world.clock.now() + 12 * 86_400_000;
  await keeper.setClientSecret('perspio-demo', 'demo~secret+1', { expiresAt: secretExpiresAt });
}
