import { describe, expect, it, vi } from 'vitest';
import { dashboardFixture, goTo, type Scene } from '../../support/dashboard.ts';
import { judge, LOOKS } from '../../support/looks.ts';
import { makeTrouble } from '../../support/troubled.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const { newScene } = dashboardFixture();
const SCREENS: readonly (readonly [string, string, string])[] = [
  ['overview', '#/', 'somebody'],
  ['connections', '#/connections', 'Connections'],
  ['needs', '#/connections/crm-import', 'crm-import'],
  ['uncertain', '#/connections/orders-sync', 'orders-sync'],
  ['well', '#/connections/billing-export', 'billing-export'],
  ['failing', '#/connections/fleet-sync', 'fleet-sync'],
  ['paused', '#/connections/test-tenant', 'test-tenant'],
  ['disconnected', '#/connections/old-integration', 'old-integration'],
  ['unknown', '#/connections/nobody', 'nobody'],
  ['clients', '#/clients', 'Clients'],
  ['endpoints', '#/endpoints', 'Token endpoints'],
  ['events', '#/events', 'Events'],
  ['lost', '#/nowhere', 'There is no such page'],
];

describe.each(LOOKS)('with $name', (looks) => {
  it('every screen is without fault, fits its width, and axe finds nothing', async () => {
    const scene = await newScene();
    await makeTrouble(scene.world);
    const page = await scene.open('#/', looks);
    const faults: string[] = [];
    for (const [name, hash, title] of SCREENS) {
      await goTo(page, hash);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
      faults.push(...(await judge(page, `trouble-${name}`, looks)));
    }
    await goTo(page, '#/connections/billing-export');
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('dialog').waitFor();
    faults.push(...(await judge(page, 'question', looks)));
    expect(faults).toEqual([]);
    expect(unexpected(scene)).toEqual([]);
  });

  it('an empty store says what to do, and so does a page that nobody is signed in to', async () => {
    const scene = await newScene();
    const faults: string[] = [];
    const page = await scene.open('#/', looks);
    await page.getByRole('heading', { name: 'Nothing is connected yet' }).waitFor();
    faults.push(...(await judge(page, 'first-start', looks)));
    for (const [name, hash] of SCREENS.filter(([, , title]) =>
      /^(Connections|Clients|Token|Events)/.test(title),
    )) {
      await goTo(page, hash);
      await page.waitForTimeout(50);
      faults.push(...(await judge(page, `first-${name}`, looks)));
    }
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('evergrant dashboard', { exact: true }).waitFor();
    faults.push(...(await judge(page, 'signed-out', looks)));
    expect(faults).toEqual([]);
    expect(unexpected(scene)).toEqual([]);
  });
});

/** The page of an unknown connection asks for it, and so the browser tells of a 404. */
function unexpected({ troubles }: Scene): readonly string[] {
  return troubles.filter((trouble) => !trouble.includes('404'));
}
