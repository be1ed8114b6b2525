import type { Page } from 'playwright-core';
import { describe, expect, it, vi } from 'vitest';
import { lineLog } from '../../../src/daemon/log.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { browse } from '../../support/browser.ts';
import { dashboardFixture, goTo, type HowToServe, type Scene } from '../../support/dashboard.ts';
import { judgeAll } from '../../support/looks.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/*
 * Asking a person to consent again, from the dashboard: the link, who takes it, and where it must not be found.
 */

const { newScene } = dashboardFixture();

describe('asking for consent again', () => {
  it('shows a link once, that the same person can follow at once; the page tells when they have', async () => {
    const lines: string[] = [];
    const log = lineLog('text', systemClock, (line) => lines.push(line));
    const { scene, page } = await atAlpha({ settings: { listen: '127.0.0.1:0' }, log });
    const { grantId } = await scene.world.first.keeper.connection('alpha').status();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const [steps, addresses] = [await page.evaluate('history.length'), addressesOf(page)];
    await reconnect(page);
    const sheet = page.getByRole('dialog', { name: 'A link to consent to alpha' });
    const link = await sheet.getByRole('textbox', { name: 'Link to consent' }).inputValue();
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/consent\/[\w-]{43}$/);
    expect(await sheet.innerText()).toContain('one browser');
    expect(await sheet.innerText()).toMatch(/Good until\s+\d.+, in (23 h|1 d)/);
    const faults = await judgeAll(page, 'link');
    await sheet.getByRole('button', { name: 'Copy' }).click();
    await sheet.getByRole('button', { name: 'Copied: the link' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(link);

    const token = new URL(link).pathname.split('/').at(-1) ?? '';
    expect(await page.evaluate('history.length')).toBe(steps);
    const kept = '[location.href, document.title, { ...localStorage }, { ...sessionStorage }]';
    expect(await page.evaluate(`JSON.stringify(${kept})`)).not.toContain(token);
    expect(addresses.join()).not.toContain(token);
    expect(lines.join()).not.toContain(token);

    const [opened] = await Promise.all([
      page.context().waitForEvent('page'),
      sheet.getByRole('link', { name: 'Open here' }).click(),
    ]);
    expect(await opened.evaluate('[window.opener, document.referrer]')).toEqual([null, '']);
    await opened.getByRole('button', { name: 'Continue to sign in' }).click();
    await opened.getByRole('radio', { name: 'Demo User' }).check();
    await opened.getByRole('button', { name: 'Accept' }).click();
    await opened.getByRole('heading', { name: 'Thank you, it is connected' }).waitFor();
    await page.getByRole('dialog', { name: 'alpha is connected again' }).waitFor();
    expect(await page.content()).not.toContain(token);
    faults.push(...(await judgeAll(page, 'link-used')));
    expect((await scene.world.first.keeper.connection('alpha').status()).grantId).not.toBe(grantId);
    expect(faults).toEqual([]);
    expect(scene.troubles).toEqual([]);
  });

  it('works by keyboard alone, and a link that was shown is gone when its sheet is closed or the page loaded again', async () => {
    const { page } = await atAlpha({ settings: { listen: '127.0.0.1:0' } });
    const tabTo = async (name: string): Promise<void> => {
      for (let tabs = 0; (await focused(page)) !== name; tabs++) {
        expect(tabs, `Tab comes to ${name}`).toBeLessThan(40);
        await page.keyboard.press('Tab');
      }
    };
    const press = async (name: string): Promise<void> => {
      await tabTo(name);
      await page.keyboard.press('Enter');
    };
    const sheet = page.getByRole('dialog', { name: 'Ask for consent to alpha again?' });
    await press('Reconnect');
    await sheet.waitFor();
    await page.keyboard.press('Escape');
    // Out of the document, not just out of sight: what is pressed before the page has heard of it is not meant for the next question.
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Reconnect');
    await page.keyboard.press('Enter');
    await sheet.waitFor();
    await press('Make a link');
    const field = page.getByRole('textbox', { name: 'Link to consent' });
    const link = await field.inputValue();
    await tabTo('Link to consent');
    expect(await page.evaluate('getSelection().toString()')).toBe(link);
    await press('Close');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Reconnect');
    expect(await page.content()).not.toContain(link);
    await page.keyboard.press('Enter');
    await sheet.waitFor();
    await press('Make a link');
    const second = await field.inputValue();
    expect(second).not.toBe(link);
    await page.reload();
    await page.getByRole('button', { name: 'Reconnect' }).waitFor();
    expect(await page.content()).not.toContain(second);
  });

  it('says in plain words what to set where a sign-in has nowhere to lead back to', async () => {
    const { page, scene } = await atAlpha({});
    await reconnect(page);
    const sheet = page.getByRole('dialog', { name: 'No link to consent to alpha can be made' });
    await sheet.getByText('daemon.listen').waitFor();
    await sheet.getByText('evergrant connect alpha --reconnect', { exact: true }).waitFor();
    expect(await judgeAll(page, 'no-link')).toEqual([]);
    expect(scene.troubles.filter((one) => !one.includes('400'))).toEqual([]);
  });

  it('says what else fails, and makes no link where any account would be refused', async () => {
    const { page, scene } = await atAlpha({ settings: { listen: '127.0.0.1:0' } });
    await scene.world.add('imported');
    await goTo(page, '#/connections/imported');
    await page.getByRole('heading', { level: 1, name: 'imported' }).waitFor();
    await page.getByRole('button', { name: 'Reconnect' }).click();
    const sheet = page.getByRole('dialog', { name: 'No link to consent to imported can be made' });
    await sheet.getByText('evergrant link imported --any-account', { exact: true }).waitFor();
    expect(await judgeAll(page, 'no-account')).toEqual([]);
    await page.keyboard.press('Escape');
    await goTo(page, '#/connections/alpha');
    await page.getByRole('heading', { level: 1, name: 'alpha' }).waitFor();
    await scene.daemon.close(0);
    await reconnect(page);
    await page.getByRole('dialog').getByText('The daemon does not answer').waitFor();
  });
});

/** A connection that a person consented to, and its page. */
async function atAlpha(how: HowToServe): Promise<{ readonly scene: Scene; readonly page: Page }> {
  const scene = await newScene(how);
  const { world } = scene;
  const { authorizationEndpoint, issuer, jwksUri } = world.emulator;
  await world.connect('alpha', {
    grant: 'code',
    scope: 'openid profile offline_access api://perspiotalk/access_as_user',
    overrides: world.overrides({ authorizationEndpoint, issuer, jwksUri }),
    prompt: {
      authorize: async ({ url }) => {
        await browse(url);
      },
    },
  });
  const page = await scene.open('#/connections/alpha');
  await page.getByRole('heading', { level: 1, name: 'alpha' }).waitFor();
  return { scene, page };
}

async function reconnect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Reconnect', exact: true }).click();
  await page.getByRole('button', { name: 'Make a link', exact: true }).click();
}

/** Every address that the page has been at or asked for. */
function addressesOf(page: Page): string[] {
  const found: string[] = [];
  page.on(
    'request',
    (request) => void found.push(request.url(), JSON.stringify(request.headers())),
  );
  page.on('framenavigated', (frame) => void found.push(frame.url()));
  return found;
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>(
    '(document.activeElement.innerText || document.activeElement.ariaLabel || "").trim()',
  );
}
