import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { describe, expect, it, vi } from 'vitest';
import { dashboardFixture, goTo, type Scene } from '../../support/dashboard.ts';
import { LIFE_MS } from '../../support/keeper-under-test.ts';
import { makeTrouble } from '../../support/troubled.ts';

// A browser on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const { newScene, built } = dashboardFixture();
const MOST_BYTES = 60 * 1024;

describe('a link', () => {
  it('leads to the overview, once; then it says what to do instead', async () => {
    const scene = await newScene();
    await makeTrouble(scene.world);
    const page = await scene.open();
    await heading(page, '1 connection needs somebody, 1 may soon');
    expect(new URL(page.url()).pathname).toBe('/');
    expect(page.url()).not.toContain('#');
    const address = await scene.link();
    const [first, second] = [await scene.open('', SIGNED_OUT), await scene.open('', SIGNED_OUT)];
    await first.goto(address);
    await first.getByText('Live', { exact: true }).waitFor();
    await second.goto(address);
    await second.getByText('This link was used before, or is too old').waitFor();
    expect(await second.evaluate('document.cookie + location.href')).not.toContain(
      new URL(address).hash.slice(1),
    );
  });
});

const SIGNED_OUT = { signedOut: true } as const;

describe('a connection whose token has run out', () => {
  it('is not called well, in no place, while its server is left alone', async () => {
    const scene = await newScene();
    const { world } = scene;
    await world.add('quiet');
    await world.add('busy');
    // The first request is told to wait, and both must.
    world.emulator.faults.next({ kind: 'throttled', retryAfter: 3_600 });
    await world.pass(LIFE_MS + 60_000);
    const page = await scene.open();
    await heading(page, '2 connections are tried again; nobody must act');
    const tile = async (name: string): Promise<string> =>
      (await page.locator('.tile', { hasText: name }).innerText()).replace(/\s+/g, ' ').trim();
    expect([await tile('Well'), await tile('Trying again')]).toEqual(['0 Well', '2 Trying again']);
    await page.getByText('Its access token has run out.').waitFor();
    await goTo(page, '#/connections/quiet');
    await heading(page, 'quiet');
    await page.getByText('The server is left alone until').waitFor();
    expect(await page.locator('header.title').innerText()).toContain('Trying again');
    await goTo(page, '#/connections?state=failing');
    await page.getByText('2 connections', { exact: true }).waitFor();
  });
});

describe('time', () => {
  it('runs from left to right in the life of a token, as everywhere', async () => {
    const { scene, page } = await at('#/connections/billing-export');
    await heading(page, 'billing-export');
    await scene.world.pass(LIFE_MS / 4);
    await page.reload();
    await page.getByText('left of the access token').waitFor();
    const boxOf = async (selector: string): Promise<{ left: number; right: number }> => {
      const box = await page.locator(`.token-life ${selector}`).boundingBox();
      if (box === null) throw new Error(`${selector} is not drawn`);
      return { left: box.x, right: box.x + box.width };
    };
    const [track, left, due] = [await boxOf('.track'), await boxOf('.fill'), await boxOf('.tick')];
    expect(left.left).toBeGreaterThan(track.left + 10);
    expect(left.right).toBeCloseTo(track.right, 0);
    expect(due.left).toBeGreaterThan(left.left);
    expect((await boxOf('.ends :first-child')).left).toBeLessThan(track.left + 1);
    expect(await page.locator('.ends :first-child').innerText()).toMatch(/^came/);
  });
});

describe('an action', () => {
  it('is asked about first; no is no, and yes does it', async () => {
    const { scene, page } = await at('#/connections/billing-export');
    const status = async (): Promise<readonly [string, number]> => {
      const { state, generation } = await scene.world.first.keeper
        .connection('billing-export')
        .status();
      return [state, generation];
    };
    const [, generation] = await status();
    await press(page, 'Refresh', 'Cancel');
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await status()).toEqual(['active', generation]);

    await press(page, 'Refresh', 'Refresh');
    await page.getByText('billing-export was refreshed.').waitFor();
    expect(await status()).toEqual(['active', generation + 1]);
    await press(page, 'Pause', 'Pause');
    await page.getByText('billing-export is paused.').waitFor();
    expect(await status()).toEqual(['paused', generation + 1]);
    await press(page, 'Resume', 'Resume');
    await page.getByText('billing-export is resumed.').waitFor();
    expect(await status()).toEqual(['active', generation + 1]);
    await press(page, 'Disconnect', 'Disconnect');
    await heading(page, 'billing-export');
    await page.getByText('There is no connection named billing-export').waitFor();
    await expect(status()).rejects.toThrow('there is no connection');
  });

  it('removes what its server is not told of, only when that is said', async () => {
    const scene = await newScene();
    const { world } = scene;
    const revocationEndpoint = 'http://127.0.0.1:1/revoke';
    const { connection } = await world.add('old', { overrides: { revocationEndpoint } });
    await world.during(connection.disconnect());
    const page = await scene.open('#/connections/old');
    await page.getByText('it is not revoked at the server yet').waitFor();
    await page.getByText('The refresh token is kept until the server has revoked it').waitFor();
    await press(page, 'Disconnect', 'Revoke');
    const told = page.locator('.toast.bad');
    await told.getByText('old: it is stopped, but not yet revoked').waitFor();
    expect((await connection.status()).state).toBe('disconnected');
    await press(page, 'Remove', 'Remove');
    await page.getByText('There is no connection named old').waitFor();
    expect(await world.first.keeper.list()).toEqual([]);
  });

  it('connects again what needs nobody', async () => {
    const { scene, page } = await at('#/connections/nightly-job');
    const { grantId } = await scene.world.first.keeper.connection('nightly-job').status();
    await press(page, 'Reconnect', 'Reconnect');
    await page.getByText('nightly-job is connected again.').waitFor();
    const after = await scene.world.first.keeper.connection('nightly-job').status();
    expect(after.grantId).not.toBe(grantId);
  });

  it('that a command does is shown as that command, to copy', async () => {
    const { page } = await at('#/connections/test-tenant');
    await heading(page, 'test-tenant');
    const copy = page.getByRole('button', { name: 'Copy: evergrant resume test-tenant' });
    await copy.waitFor();
    expect((await page.locator('.remedy').innerText()).split(/\s*\n\s*/)).toEqual([
      'evergrant resume test-tenant',
      'Copy',
    ]);
    await goTo(page, '#/connections/orders-sync');
    await heading(page, 'orders-sync');
    expect(await page.locator('.remedy').innerText()).not.toContain('Evergrant');
  });

  it('that is refused says why', async () => {
    const { page } = await at('#/connections/crm-import');
    await press(page, 'Refresh', 'Try once more');
    await page.getByRole('status').getByText('no longer accepts the grant').waitFor();
  });
});

describe('by keyboard alone', () => {
  it('one comes from the top of the page to a connection, is asked, and comes back', async () => {
    const { page } = await at('#/connections');
    // As one arrives: what has the focus is the page itself.
    await page.reload();
    await page.getByText('8 connections', { exact: true }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    await page.keyboard.type('sync');
    await page.getByText('2 of 8 connections').waitFor();
    // Two choices and four headings, since all are of one provider.
    for (let i = 0; i < 7; i++) await page.keyboard.press('Tab');
    expect(await focused(page)).toContain('orders-sync');
    await page.keyboard.press('ArrowDown');
    await page.locator('[role=row]:focus', { hasText: 'fleet-sync' }).waitFor();
    await page.keyboard.press('Enter');
    await heading(page, 'fleet-sync');
    await page.locator('main:focus').waitFor();
    while ((await focused(page)) !== 'Pause') await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Pause');
  });
});

describe('the page', () => {
  it('weighs at most 60 KiB, compressed, scripts and styles', () => {
    const folder = path.join(built, 'assets');
    const files = readdirSync(folder).filter((name) => /\.(?:js|css)$/.test(name));
    expect(files.map((name) => path.extname(name)).sort()).toEqual(['.css', '.js']);
    const texts = files.map((name) => readFileSync(path.join(folder, name)));
    const sum = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0);
    expect(sum(texts.map((text) => gzipSync(text).byteLength))).toBeLessThanOrEqual(MOST_BYTES);
    expect(sum(texts.map((text) => brotliCompressSync(text).byteLength))).toBeGreaterThan(1_000);
  });

  it('comes compressed, under a policy that allows its own files and nothing else', async () => {
    const scene = await newScene();
    const page = await scene.open('', SIGNED_OUT);
    const answers: Record<string, string>[] = [];
    page.on('response', (response) => void answers.push(response.headers()));
    await page.reload();
    await page.getByText('evergrant dashboard', { exact: true }).waitFor();
    expect(answers.length).toBeGreaterThanOrEqual(3);
    for (const headers of answers) {
      expect(headers['content-encoding']).toBe('gzip');
      const policy = headers['content-security-policy'] ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
    }
    const blocked = await page.evaluate<string>(`(async () => {
      const told = new Promise((done) => addEventListener('securitypolicyviolation', (e) => done(e.effectiveDirective)));
      fetch('https://elsewhere.example/').catch(() => undefined);
      return told;
    })()`);
    expect(blocked).toBe('connect-src');
  });

  it('never holds a token, and asks no other origin, on any screen', async () => {
    const { scene, page } = await at('#/');
    const bodies: Promise<string>[] = [];
    page.on('response', (response) => void bodies.push(response.text().catch(() => '')));
    const { value } = await scene.world.first.keeper.connection('billing-export').token();
    await goTo(page, '#/connections');
    await page.getByRole('link', { name: 'billing-export' }).waitFor();
    await goTo(page, '#/connections/billing-export');
    await page.getByText('Refresh token', { exact: true }).waitFor();
    await goTo(page, '#/clients');
    await page.getByText('perspio-demo').first().waitFor();
    await goTo(page, '#/events');
    await page.getByRole('log').waitFor();
    const all = (await Promise.all(bodies)).join('');
    expect(all).toContain('billing-export');
    expect(all).not.toContain(value);
    expect(all).not.toContain('demo~secret+1');
    expect(scene.troubles).toEqual([]);
  });

  it('tells when the daemon does not answer any more', async () => {
    const { scene, page } = await at('#/');
    await scene.daemon.close(0);
    await page.getByText('Not connected').waitFor();
    await page.getByText('Is evergrant serve running?').waitFor();
    await page.getByRole('link', { name: 'crm-import' }).first().waitFor();
    for (const hash of ['#/connections', '#/connections/billing-export', '#/events', '#/']) {
      await goTo(page, hash);
      await page.getByText(/What you see is \d+ s old/).waitFor();
    }
    await page.getByText(/What you see is ([4-9]|\d\d) s old/).waitFor();
  });
});

async function at(hash: string): Promise<{ readonly scene: Scene; readonly page: Page }> {
  const scene = await newScene();
  await makeTrouble(scene.world);
  return { scene, page: await scene.open(hash) };
}

async function heading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

async function press(page: Page, action: string, answer: string): Promise<void> {
  await page.getByRole('button', { name: action, exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click();
  await page.locator('dialog').waitFor({ state: 'detached' });
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>(
    '(document.activeElement.innerText || document.activeElement.id).trim()',
  );
}
