import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { countedHooks } from '../../support/daemon-fixture.ts';
import { dashboardFixture, goTo, type Scene } from '../../support/dashboard.ts';
import { hookSecret, startHookReceiver, type HookReceiver } from '../../support/hook-receiver.ts';
import { judgeAll } from '../../support/looks.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/*
 * What receivers of webhooks could not be told, as an operator finds it.
 */

const { newScene } = dashboardFixture();
const SECRET = hookSecret(3);
let receiver: HookReceiver;
let now: () => number = Date.now;

beforeEach(async () => {
  receiver = await startHookReceiver(SECRET, () => now());
});

afterEach(async () => {
  await receiver.stop();
});

describe('webhooks', () => {
  it('are not spoken of where no receiver is named', async () => {
    const scene = await newScene();
    await scene.world.add('alpha');
    const page = await scene.open('#/');
    await page.getByRole('heading', { level: 1, name: 'The one connection is well' }).waitFor();
    const [told] = await Promise.all([
      page.waitForResponse(/\/v1\/dead-letters/),
      goTo(page, '#/events'),
    ]);
    await told.finished();
    await page.getByRole('log').getByText('Connected').waitFor();
    // What was told is drawn by now.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
    expect(await page.locator('body').innerText()).not.toMatch(/webhook|receiver/i);
    expect(scene.troubles).toEqual([]);
  });

  it('that were given up are told on the overview, listed with the reason, and sent again', async () => {
    const { scene, page, pass } = await withDead(2);
    await page.getByText('Webhooks: ops could not be told of').waitFor();
    const faults = await judgeAll(page, 'overview-dead');
    await page.getByRole('link', { name: '2 events' }).click();
    await page.getByRole('heading', { level: 1, name: 'Webhooks' }).waitFor();
    const rows = page.locator('table.letters tbody tr');
    await rows.nth(1).waitFor();
    expect(await rows.nth(0).innerText()).toMatch(/Connected c1\s+ops\s+1\s+.*410.*/s);
    faults.push(...(await judgeAll(page, 'webhooks')));
    const text = await page.content();
    expect(text).not.toContain(SECRET.replace('whsec_', ''));
    expect(text).not.toContain(receiver.url);

    receiver.reply = () => ({ status: 200 });
    await page.getByRole('button', { name: 'Try again: Connected c1, to ops' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('ops is told again.').waitFor();
    await page.locator('button:focus', { hasText: 'Try again' }).waitFor();
    expect(await rows.count()).toBe(1);
    expect(await rows.innerText()).toContain('c0');
    await pass(() => receiver.accepted.length === 1);
    expect(receiver.accepted[0]?.data.connection).toBe('c1');

    const [left] = await scene.world.first.store.webhooks.deadLetters({ limit: 9 });
    await scene.world.first.store.webhooks.revive(left?.id ?? '', now());
    await page.keyboard.press('Enter');
    await rows.first().waitFor({ state: 'detached' });
    await goTo(page, '#/events');
    await page.getByText('1 receiver of webhooks').waitFor();
    await page.getByText('0 events given up').waitFor();
    faults.push(...(await judgeAll(page, 'events-webhooks')));
    expect(faults).toEqual([]);
    expect(scene.troubles.filter((one) => !one.includes('404'))).toEqual([]);
  });

  it('that are many come page by page, and none is lost when one of them is sent again', async () => {
    const { page } = await withDead(120);
    await goTo(page, '#/webhooks');
    const rows = page.locator('table.letters tbody tr');
    await rows.nth(49).waitFor();
    expect(await rows.count()).toBe(50);
    await page.getByRole('button', { name: 'Show more' }).click();
    await rows.nth(99).waitFor();
    await page.getByRole('button', { name: 'Try again: Connected c60, to ops' }).click();
    await page.getByText('ops is told again.').waitFor();
    expect(await rows.count()).toBe(99);
    await page.getByRole('button', { name: 'Show more' }).click();
    await rows.nth(118).waitFor();
    await page.getByRole('button', { name: 'Show more' }).waitFor({ state: 'detached' });
    const names = await rows.locator('a').allInnerTexts();
    const all = Array.from({ length: 120 }, (_, i) => `c${i}`).filter((name) => name !== 'c60');
    expect(names.toSorted()).toEqual(all.toSorted());
  });
});

interface Deaf {
  readonly scene: Scene;
  readonly page: Page;
  /** Lets time pass until something holds. */
  readonly pass: (holds: () => boolean) => Promise<void>;
}

/** A receiver that was told of so many connections, and said that it is gone. */
async function withDead(count: number): Promise<Deaf> {
  const { hooks, underWay } = countedHooks();
  const named = { name: 'ops', url: receiver.url, secretVariable: 'HOOK_SECRET' };
  const scene = await newScene({
    ...{ hooks, environment: { HOOK_SECRET: SECRET } },
    settings: { webhooks: [named] },
  });
  const { world } = scene;
  now = () => world.clock.now();
  receiver.reply = () => ({ status: 410 });
  const pass = async (holds: () => boolean): Promise<void> => {
    for (let steps = 0; !holds(); steps++) {
      if (steps > 20_000) throw new Error('this does not come to hold');
      if (underWay() > 0) await delay(1);
      else await world.pass(250);
    }
  };
  for (let i = 0; i < count; i++) await world.add(`c${i}`);
  await pass(() => world.first.store.webhooks.counts().dead === count);
  return { scene, page: await scene.open('#/'), pass };
}
