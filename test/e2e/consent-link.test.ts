import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { launchChromium } from '../support/chromium.ts';
import { emulatorFixture } from '../support/emulator-fixture.ts';
import { evergrant as runEvergrant, type Ended } from '../support/run-evergrant.ts';
import { root } from '../support/sources.ts';

// Processes and a browser, on a machine that has other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

/*
 * Consent by link as people meet it: `evergrant serve`, `evergrant link`, and a real browser in which somebody signs in. The daemon is called
 * localhost and the server 127.0.0.1, so that to the browser they are two sites, as in life.
 */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where to leave pictures, for whoever wants to look at them. */
const pictures = process.env['EVERGRANT_PICTURES'];
const LOOKS = [
  ['light', 1_440],
  ['dark', 1_440],
  ['light', 320],
  ['dark', 320],
] as const;

const newEmulator = emulatorFixture();
let browser: Browser;
let home = '';
let daemon: ChildProcess | undefined;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
});

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'evergrant-link-'));
});

afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()));
  if (daemon?.exitCode === null && daemon.signalCode === null) {
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  }
  rmSync(home, { recursive: true, force: true });
});

/** Starts the daemon at a port of its own. @returns its origin, once it serves. */
async function serve(): Promise<string> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const settings = { daemon: { listen: `localhost:${port}`, publicUrl: origin } };
  writeFileSync(path.join(home, 'settings.json'), JSON.stringify(settings), { mode: 0o600 });
  const bin = path.join(root, 'bin/evergrant.cjs');
  const child = spawn(process.execPath, [bin, 'serve', '--create'], {
    env: { PATH: process.env['PATH'], EVERGRANT_HOME: home },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  daemon = child;
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  while (!told.includes(' serving ')) {
    if (child.exitCode !== null) throw new Error(`it ended: ${told}`);
    await Promise.race([once(child.stderr, 'data'), once(child, 'close')]);
  }
  return origin;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function evergrant(...argv: string[]): Promise<Ended> {
  return runEvergrant(argv, { env: { EVERGRANT_HOME: home } });
}

/** Makes a link. @returns its address. */
async function link(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await evergrant('link', ...argv);
  expect([code, stderr]).toEqual([0, expect.stringContaining('/consent/callback')]);
  return stdout.trim();
}

function registration(emulator: Emulator): string[] {
  const secret = path.join(home, 'secret.txt');
  writeFileSync(secret, 'demo~secret+1', { mode: 0o600 });
  return [
    ...['--provider', 'generic', '--client-id', 'perspio-demo', '--client-secret-file', secret],
    ...['--client-auth', 'client_secret_post', '--rotation', 'reusable', '--insecure-loopback'],
    ...['--issuer', emulator.issuer, '--token-endpoint', emulator.tokenEndpoint],
    ...['--authorization-endpoint', emulator.authorizationEndpoint],
    ...['--jwks-uri', emulator.jwksUri],
    ...['--scope', 'openid profile offline_access api://perspiotalk/access_as_user'],
  ];
}

/** A browser of its own; what it does that it should not is in `troubles`. */
async function open(origins: readonly string[], troubles: string[]): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC' });
  contexts.push(context);
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // The status of a page that tells of a failure is told as one.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      troubles.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (!origins.includes(origin)) troubles.push(`elsewhere: ${request.url()}`);
  });
  return page;
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What is wrong with the page that is shown, in every look. */
async function judge(page: Page, name: string, title: string): Promise<string[]> {
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
  const faults: string[] = [];
  for (const [scheme, width] of LOOKS) {
    await page.setViewportSize({ width, height: 700 });
    await page.emulateMedia({ colorScheme: scheme });
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: path.join(pictures, `${name}-${scheme}-${width}.png`) });
    }
    const look = `${name}, ${scheme}, ${width}`;
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    if (wide > 0) faults.push(`${look}: ${wide} px too wide`);
    if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(axe);
    const run = 'axe.run().then(({ violations }) => violations)';
    for (const { id, nodes } of await page.evaluate<Violation[]>(run))
      faults.push(`${look}: ${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }
  return faults;
}

/** Signs in at the page of the emulator. */
async function signIn(page: Page, who: string, decision: 'Accept' | 'Deny'): Promise<void> {
  await page.getByRole('radio', { name: who }).check();
  await page.getByRole('button', { name: decision }).click();
}

const press = (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click();

it('somebody consents in a browser, to a new connection and once more, and every page is without fault', async () => {
  const emulator = await newEmulator();
  const origin = await serve();
  const troubles: string[] = [];
  const faults: string[] = [];
  const origins = [origin, emulator.origin];
  const page = await open(origins, troubles);

  const first = await link('alpha', ...registration(emulator), '--life', '2h');
  expect(first.startsWith(`${origin}/consent/`)).toBe(true);
  await page.goto(first);
  faults.push(...(await judge(page, '1-ask', 'Your consent is asked for')));
  // Holds the browser on the page between.
  await page.route(`${emulator.origin}/**`, (route) => route.fulfill({ status: 204 }));
  await press(page, 'Continue to sign in');
  faults.push(...(await judge(page, '2-leaving', 'On to the sign-in')));
  await page.unrouteAll();
  await page.getByRole('link', { name: /^Continue to 127\.0\.0\.1/ }).click();
  await signIn(page, 'Demo User', 'Deny');
  faults.push(...(await judge(page, '3-refused', 'You did not agree')));
  await press(page, 'Try again');
  emulator.faults.next('server-error');
  await signIn(page, 'Demo User', 'Accept');
  faults.push(...(await judge(page, '4-failed', 'The sign-in failed')));
  // The keyboard alone will do.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await signIn(page, 'Demo User', 'Accept');
  faults.push(...(await judge(page, '5-connected', 'Thank you, it is connected')));
  expect(page.url()).toMatch(/\/consent\/result\/[\w-]{16}$/);
  expect((await evergrant('token', 'alpha')).code).toBe(0);
  await page.reload();
  await page.getByRole('heading', { name: 'Thank you, it is connected' }).waitFor();
  await page.goto(first);
  faults.push(...(await judge(page, '6-gone', 'This link is not good any more')));

  const again = await link('alpha');
  await page.goto(again);
  await page.getByText('demo@perspio.io').waitFor();
  await press(page, 'Continue to sign in');
  await signIn(page, 'Other User', 'Accept');
  faults.push(...(await judge(page, '7-wrong-account', 'This is another account')));
  const other = await open(origins, troubles);
  await other.goto(again);
  faults.push(...(await judge(other, '8-taken', 'This link is in use in another browser')));
  await press(page, 'Try again');
  await page.getByRole('radio', { name: 'Demo User' }).waitFor();
  await other.goto(`${origin}/consent/callback?code=x&state=y`);
  faults.push(...(await judge(other, '9-foreign', 'This sign-in is not known here')));
  await signIn(page, 'Demo User', 'Accept');
  await page.getByRole('heading', { name: 'Thank you, it is connected' }).waitFor();
  const history = await evergrant('explain', 'alpha', '--json');
  expect(history.stdout).toContain('reconnected');

  await other.goto(await link('alpha'));
  await other.context().clearCookies();
  await press(other, 'Continue to sign in');
  faults.push(...(await judge(other, '10-cookie', 'Your browser keeps no cookie of this page')));
  await press(other, 'Try again');
  await other.getByRole('radio', { name: 'Demo User' }).waitFor();

  expect(faults).toEqual([]);
  expect(troubles).toEqual([]);
});

it('without a daemon, or without an address for browsers, the command says what is missing', async () => {
  for (const command of [['link', 'alpha'], ['dashboard']]) {
    const none = await evergrant(...command);
    expect(none.code).toBe(7);
    expect(none.stderr).toContain('no daemon answers at');
    expect(none.stderr).toContain('evergrant serve');
  }
  const emulator = await newEmulator();
  await serve();
  const unknown = await evergrant('link', 'alpha');
  expect(unknown.stderr).toContain('alpha');
  expect(unknown.code).not.toBe(0);
  const twice = await evergrant('link', 'alpha', ...registration(emulator), '--life', '2');
  expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('--life 2 has no unit')]);
});
