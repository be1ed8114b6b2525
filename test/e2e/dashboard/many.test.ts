import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addInBulk } from '../../../bench/support/bulk.ts';
import { openHome, type OpenHome } from '../../../src/keeper.ts';
import type { Keeper } from '../../../src/keeper-api.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { dashboardFixture, goTo, type Stage } from '../../support/dashboard.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { judgeAll } from '../../support/looks.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const { newStage } = dashboardFixture();
const newEmulator = emulatorFixture();

/** Names of the patterns, and how many are like each: with them 10,000. */
const MANY = { well: 9_598, revoked: 250, stopped: 149 } as const;
/** More than a screen holds, and far less than there are. */
const MOST_DRAWN = 60;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe('with 10,000 connections', () => {
  it('the first rows come soon, and search, filter and sort find what they should', async () => {
    const stage = await newTown();
    const page = await stage.open();
    await page.getByRole('heading', { level: 1, name: '251 connections need somebody' }).waitFor();
    const faults = await judgeAll(page, 'many-overview');
    await page.getByRole('link', { name: 'and 246 more for the same cause' }).click();
    await page.getByText('251 of 10,000 connections').waitFor();
    await tellTime(stage, page);
    await goTo(page, '#/connections');
    await page.getByText('10,000 connections', { exact: true }).waitFor();
    faults.push(...(await judgeAll(page, 'many-connections')));
    expect(await drawn(page)).toBeLessThan(MOST_DRAWN);

    await search(page, 'tenant-1234');
    await page.getByText('1 of 10,000 connections').waitFor();
    expect(await page.getByRole('row').nth(1).innerText()).toContain('tenant-1234');
    await search(page, 'no such');
    await page.getByText('0 of 10,000 connections').waitFor();
    await page.getByText('Nothing matches').waitFor();
    await search(page, '');

    await page.getByLabel('State').selectOption({ label: 'Paused' });
    await page.getByText('150 of 10,000 connections').waitFor();
    await page.getByLabel('State').selectOption({ label: 'All' });
    await page.getByLabel('Who must act').selectOption({ label: 'The person who granted' });
    await page.getByText('251 of 10,000 connections').waitFor();
    await page.getByLabel('Who must act').selectOption({ label: 'All' });

    await page.getByRole('button', { name: 'Connection' }).click();
    await page.getByRole('button', { name: 'Connection' }).click();
    await page.getByRole('row').nth(1).filter({ hasText: 'well' }).waitFor();
    expect(page.url()).toContain('order=down');
    await page.getByRole('row').nth(1).focus();
    await page.keyboard.press('End');
    await page.locator('[role=row]:focus', { hasText: 'revoked' }).waitFor();
    expect(await drawn(page)).toBeLessThan(MOST_DRAWN);
    expect(await page.locator('[role=row]:focus').getAttribute('aria-rowindex')).toBe('10001');
    faults.push(...(await judgeAll(page, 'many-end')));
    expect(faults).toEqual([]);
    // Rows are higher where it is narrow, and the same ones stay in sight.
    await page.setViewportSize({ width: 320, height: 700 });
    await page.locator('[role=row][aria-rowindex="9990"]').waitFor();
    expect(stage.troubles).toEqual([]);
  });
});

/** Says what a person would wait. Nothing is asserted: a machine that has other work is no measure. */
async function tellTime(stage: Stage, page: Page): Promise<void> {
  await goTo(page, '#/connections');
  await page.addInitScript(`addEventListener('DOMContentLoaded', () => {
    new MutationObserver((_, observer) => {
      if (document.querySelectorAll('[role=row]').length < 3) return;
      observer.disconnect();
      requestAnimationFrame(() => requestAnimationFrame(() => { window.firstRowsMs = performance.now(); }));
    }).observe(document.body, { childList: true, subtree: true });
  });`);
  const waits: number[] = [];
  for (let round = 0; round < 5; round++) {
    await page.reload();
    await page.getByText('10,000 connections', { exact: true }).waitFor();
    waits.push(await page.evaluate<number>('window.firstRowsMs'));
  }
  const typing = await page.evaluate<number>(`(async () => {
    const field = document.querySelector('input[type=search]');
    const begun = performance.now();
    for (const text of ['t', 'te', 'ten', 'tenant-9']) {
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    }
    field.value = '';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    return (performance.now() - begun) / 4;
  })()`);
  const shown = waits.toSorted((a, b) => a - b).map((ms) => Math.round(ms));
  console.log(`10,000 connections: first rows after ${shown.join(', ')} ms`);
  console.log(`10,000 connections: a letter of a search takes ${Math.round(typing)} ms`);
  expect(shown.every((ms) => ms > 0)).toBe(true);
  expect(stage.troubles).toEqual([]);
}

async function newTown(): Promise<Stage> {
  const emulator = await newEmulator();
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-many-'));
  ends.push(() => rm(folder, { recursive: true, force: true }));
  const home = path.join(folder, 'home');
  await withHome(home, async ({ keeper }) => {
    const options = {
      provider: 'generic',
      client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
      overrides: { tokenEndpoint: emulator.tokenEndpoint, insecureLoopback: true },
    } as const;
    for (const name of Object.keys(MANY)) {
      const grant = await emulator.issueGrant();
      const { refreshToken = '', accessToken, expiresAt: accessExpiresAt } = grant;
      const tokens = { refreshToken, accessToken, accessExpiresAt };
      await keeper.add(name, { ...options, tokens });
      if (name === 'revoked') emulator.revokeGrant(grant.grantId);
    }
    await refused(keeper, 'revoked');
    await keeper.connection('stopped').pause();
  });
  let from = 1;
  for (const [like, count] of Object.entries(MANY)) {
    await addInBulk(home, { like, from, count, laterMs: 0, sealed: true });
    from += count;
  }
  const open = await openHome({ home, create: false });
  ends.push(() => open.keeper.close());
  return newStage({ ...open, folder: home, clock: systemClock });
}

async function refused(keeper: Keeper, name: string): Promise<void> {
  await expect(keeper.connection(name).refresh()).rejects.toThrow('grant');
}

async function withHome(home: string, use: (open: OpenHome) => Promise<void>): Promise<void> {
  const open = await openHome({ home });
  try {
    await use(open);
  } finally {
    await open.keeper.close();
  }
}

function drawn(page: Page): Promise<number> {
  return page.getByRole('row').count();
}

async function search(page: Page, text: string): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search' }).fill(text);
}
