import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it, vi } from 'vitest';
import { dashboardFixture, goTo, type Looks, type Scene } from '../../support/dashboard.ts';
import { makeTrouble } from '../../support/troubled.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const { newScene } = dashboardFixture();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where to leave pictures, for whoever wants to look at them. */
const pictures = process.env['EVERGRANT_PICTURES'];

const LOOKS: readonly (Looks & { readonly name: string })[] = [
  { name: 'light, 1440', width: 1_440, scheme: 'light' },
  { name: 'dark, 1440', width: 1_440, scheme: 'dark' },
  { name: 'light, 320', width: 320, height: 700, scheme: 'light' },
  { name: 'dark, 320', width: 320, height: 700, scheme: 'dark', reducedMotion: true },
];

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

/** Faults of a screen: what axe finds, and whether one must scroll sideways. */
async function judge(page: Page, name: string, looks: Looks): Promise<string[]> {
  await page.waitForTimeout(100);
  await picture(page, name, looks);
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  const found = await violations(page);
  return [
    ...(wide > 0 ? [`${name}: ${wide} px too wide`] : []),
    ...found.map((one) => `${name}: ${one}`),
  ];
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(axe);
  const found = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} ${html.slice(0, 160)} ${failureSummary}`),
  );
}

async function picture(page: Page, name: string, { width, scheme }: Looks): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({
    path: path.join(pictures, `${name}-${scheme}-${width}.png`),
    fullPage: true,
  });
}

/** The page of an unknown connection asks for it, and so the browser tells of a 404. */
function unexpected({ troubles }: Scene): readonly string[] {
  return troubles.filter((trouble) => !trouble.includes('404'));
}
