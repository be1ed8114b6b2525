import type { Page } from 'playwright-core';
import { describe, expect, it, vi } from 'vitest';
import { dashboardFixture, goTo, linkOf, type Scene } from '../../support/dashboard.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/*
 * How the page stays current: the stream of events rings, and only then is anything asked.
 */

const { newScene } = dashboardFixture();
/** Longer than any of the dashboard's short waits. */
const LONG_MS = 8_000;

describe('the dashboard', () => {
  it('asks nothing while nothing happens, and for a change once', async () => {
    const { scene, page, asked } = await atList();
    await wait(scene, page);
    expect(asked()).toEqual([]);
    await pause(scene, 'alpha');
    await stands(page, 'alpha', 'Paused');
    expect(asked().filter((path) => path.startsWith('/v1/glance/changes'))).toHaveLength(1);
    await goTo(page, '#/');
    await page.getByRole('heading', { level: 1, name: '1 connection is well' }).waitFor();
    await wait(scene, page);
    asked();
    await wait(scene, page);
    expect(asked()).toEqual([]);
    expect(scene.troubles).toEqual([]);
  });

  it('draws every one of many changes that come in a row', async () => {
    const { scene, page } = await atList();
    const { keeper } = scene.world.first;
    for (let round = 0; round < 6; round++) {
      await pause(scene, 'alpha');
      await scene.world.during(keeper.connection('alpha').resume());
      await page.waitForTimeout(300);
    }
    await pause(scene, 'beta');
    await stands(page, 'beta', 'Paused');
    await stands(page, 'alpha', 'Well');
  });

  it('asks nothing while nobody can see it, and catches up when somebody does', async () => {
    const { scene, page, asked } = await atList();
    await show(page, false);
    await pause(scene, 'alpha');
    await page.waitForTimeout(LONG_MS);
    expect(asked()).toEqual([]);
    await stands(page, 'alpha', 'Well');
    await show(page, true);
    await stands(page, 'alpha', 'Paused');
    await pause(scene, 'beta');
    await stands(page, 'beta', 'Paused');
  });

  it('asks now and then where the stream is cut, and listens again when it can be had', async () => {
    const scene = await newScene();
    await scene.world.add('alpha');
    await scene.world.add('beta');
    const page = await scene.open('#/connections', { signedOut: true });
    await page.route('**/v1/events?*', (route) => route.abort());
    await page.goto(await scene.link());
    await goTo(page, '#/connections');
    await stands(page, 'alpha', 'Well');
    await pause(scene, 'alpha');
    await stands(page, 'alpha', 'Paused');
    await page.unroute('**/v1/events?*');
    await page.waitForRequest(/\/v1\/events\?/);
    await pause(scene, 'beta');
    await stands(page, 'beta', 'Paused');
  });

  it('reads everything again where more happened than is told one by one, renaming too', async () => {
    const { scene, page } = await atList();
    const { keeper } = scene.world.first;
    await scene.world.during(keeper.connection('alpha').rename('omega'));
    await stands(page, 'omega', 'Well');
    await page.getByText('2 connections', { exact: true }).waitFor();
    expect(await page.getByRole('link', { name: 'alpha', exact: true }).count()).toBe(0);
  });

  it('asks nothing more when one signs out, however long it was open', async () => {
    const { scene, page } = await atList();
    await page.waitForTimeout(LONG_MS);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.waitForTimeout(LONG_MS);
    expect(scene.troubles).toEqual([]);
  });

  it('says that nobody is signed in as soon as the session has ended', async () => {
    const { scene, page } = await atList();
    const other = await page.context().newPage();
    await other.goto(await linkOf(scene.daemon));
    await other.getByText('Live', { exact: true }).waitFor();
    // Both pages share what signs them in: the first one's session is another's now.
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    await other.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('evergrant dashboard', { exact: true }).waitFor();
  });
});

interface AtList {
  readonly scene: Scene;
  readonly page: Page;
  /** What was asked since the last call. */
  readonly asked: () => readonly string[];
}

async function atList(): Promise<AtList> {
  const scene = await newScene();
  await scene.world.add('alpha');
  await scene.world.add('beta');
  const page = await scene.open('#/connections');
  await stands(page, 'beta', 'Well');
  // What the overview asked for, before.
  await page.waitForTimeout(1_000);
  const found: string[] = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    found.push(`${pathname}${search}`);
  });
  return { scene, page, asked: () => found.splice(0) };
}

async function stands(page: Page, name: string, state: string): Promise<void> {
  const row = page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  await row.getByText(state, { exact: true }).waitFor();
}

async function pause({ world }: Scene, name: string): Promise<void> {
  await world.during(world.first.keeper.connection(name).pause());
}

/** Waits while nothing happens. By its own clock the daemon says now and then that it lives. */
async function wait({ world }: Scene, page: Page): Promise<void> {
  for (let waited = 0; waited < LONG_MS; waited += 2_000) {
    await world.pass(16_000);
    await page.waitForTimeout(2_000);
  }
}

/** As when another tab is in front of this one, which a browser without a window does not have. */
async function show(page: Page, isSeen: boolean): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${String(!isSeen)} });
    document.dispatchEvent(new Event('visibilitychange'));`);
}
