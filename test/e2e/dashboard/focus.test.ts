import type { Page } from 'playwright-core';
import { describe, expect, it, vi } from 'vitest';
import { dashboardFixture, goTo, type Scene } from '../../support/dashboard.ts';
import { judgeAll } from '../../support/looks.ts';
import { makeTrouble } from '../../support/troubled.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/*
 * Lists change by themselves. Whoever uses the keyboard, or listens to the page, must not be thrown back to its top by that.
 */

const { newScene } = dashboardFixture();

describe('a row that has the focus and goes away', () => {
  it('leaves it to the one in its place, then to the last, and at the end to what says that none is left; each is told', async () => {
    const { scene, page } = await withPaused(['p1', 'p2', 'p3']);
    await rowOf(page, 'p2').focus();
    await resume(scene, 'p2');
    await focusIsOn(page, 'p3');
    await told(page, 'p2 has left its place in this list.');
    await page.keyboard.press('ArrowUp');
    await focusIsOn(page, 'p1');
    await page.keyboard.press('End');
    await focusIsOn(page, 'p3');
    await resume(scene, 'p3');
    await focusIsOn(page, 'p1');
    await told(page, 'p3 has left its place in this list.');
    await resume(scene, 'p1');
    await page.locator('.found:focus', { hasText: '0 of 4 connections' }).waitFor();
    expect(await judgeAll(page, 'focus-none')).toEqual([]);
    expect(scene.troubles).toEqual([]);
  });

  it('keeps it where it only moves, and the arrows go on from there', async () => {
    const { scene, page } = await withPaused(['p1', 'p2', 'p3']);
    await goTo(page, '#/connections?sort=standing');
    await rowOf(page, 'p2').focus();
    await resume(scene, 'p2');
    await rowOf(page, 'p2').filter({ hasText: 'Well' }).waitFor();
    await focusIsOn(page, 'p2');
    await page.keyboard.press('ArrowUp');
    await focusIsOn(page, 'first');
  });

  it('is found again by the arrows when it was scrolled out of sight', async () => {
    const scene = await newScene();
    for (let i = 10; i < 60; i++) await scene.world.add(`c${i}`);
    const page = await scene.open('#/connections?sort=name');
    await rowOf(page, 'c10').focus();
    await page.keyboard.press('ArrowDown');
    await focusIsOn(page, 'c11');
    await page.evaluate(`document.querySelector('.grid-body').scrollTop = 1e6`);
    await rowOf(page, 'c59').waitFor();
    await rowOf(page, 'c11').waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowDown');
    await focusIsOn(page, 'c12');
  });
});

describe('a link that has the focus and goes away', () => {
  it('leaves it to the search when it showed all again', async () => {
    const { page } = await withPaused(['p1']);
    await goTo(page, '#/connections?search=nothing+of+that+name');
    await page.getByRole('link', { name: 'Show all' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('2 connections', { exact: true }).waitFor();
    await page.locator('input[type=search]:focus').waitFor();
  });

  it('leaves it to what stands beside it on the overview', async () => {
    const scene = await newScene();
    await makeTrouble(scene.world);
    const page = await scene.open('#/');
    await page.locator('.group').getByRole('link', { name: 'crm-import' }).focus();
    await scene.world.during(scene.world.first.keeper.connection('crm-import').pause());
    await page.locator('.group a:focus', { hasText: 'orders-sync' }).waitFor();
  });
});

/** A connection that is well, and some that are paused: only those are listed. */
async function withPaused(
  names: readonly string[],
): Promise<{ readonly scene: Scene; readonly page: Page }> {
  const scene = await newScene();
  await scene.world.add('first');
  for (const name of names) {
    await scene.world.add(name);
    await scene.world.during(scene.world.first.keeper.connection(name).pause());
  }
  const page = await scene.open('#/connections?state=paused');
  await rowOf(page, names[0] ?? '').waitFor();
  return { scene, page };
}

async function resume({ world }: Scene, name: string): Promise<void> {
  await world.during(world.first.keeper.connection(name).resume());
}

function rowOf(page: Page, name: string): ReturnType<Page['locator']> {
  return page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
}

async function focusIsOn(page: Page, name: string): Promise<void> {
  await page.locator('[role=row]:focus').getByText(name, { exact: true }).waitFor();
}

async function told(page: Page, text: string): Promise<void> {
  await page.getByRole('status').getByText(text).waitFor({ state: 'attached' });
}
