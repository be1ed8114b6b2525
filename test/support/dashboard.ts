import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import type { OpenHome } from '../../src/keeper.ts';
import type { DaemonSettings } from '../../src/settings.ts';
import { systemClock, type Clock, type Timer } from '../../src/system/clock.ts';
import { silentLog, type Log } from '../../src/system/log.ts';
import type { Streaming } from '../../src/system/streaming.ts';
import { undiciStreaming } from '../../src/system/undici-streaming.ts';
import { systemRandom } from '../../src/system/random.ts';
import { launchChromium } from './chromium.ts';
import { send } from './daemon-fixture.ts';
import { runBeside, worldFixture, type World } from './keeper-under-test.ts';
import { root } from './sources.ts';

/*
 * The dashboard as a person meets it: built, served by a daemon on a fake clock, in a real browser.
 */

/** How a browser is set up. */
export interface Looks {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: 'light' | 'dark';
  readonly reducedMotion?: boolean;
}

/** A daemon with its dashboard. */
export interface Stage {
  readonly daemon: Daemon;
  /** A link to sign in, as `evergrant dashboard` prints it. */
  link(): Promise<string>;
  /** Opens a page in a browser of its own, signed in unless told otherwise. */
  open(hash?: string, looks?: Looks & { readonly signedOut?: boolean }): Promise<Page>;
  /** What went wrong in any page: messages of the console, answers that failed, requests elsewhere. */
  readonly troubles: string[];
}

/** A daemon with its dashboard, on a fake clock. */
export interface Scene extends Stage {
  readonly world: World;
}

/** What a daemon is started on. */
type Home = Pick<OpenHome, 'keeper' | 'store' | 'api'> & {
  readonly folder: string;
  readonly clock: Clock;
} & HowToServe;

/** How a daemon is started. */
export interface HowToServe {
  /** None by default. */
  readonly settings?: DaemonSettings;
  /** Variables in which the settings say that secrets are. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it tells what happens. */
  readonly log?: Log;
  /** The way to receivers of webhooks. */
  readonly hooks?: Streaming;
}

/** Ways to begin. */
export interface Dashboards {
  /** In a world of its own, on a fake clock. */
  newScene(how?: HowToServe): Promise<Scene>;
  /** On a home that is open. The daemon ends after the test, the home is the caller's to close. */
  newStage(home: Home): Promise<Stage>;
  /** Where the dashboard was built. */
  readonly built: string;
}

/** Builds the dashboard into a folder. */
export async function buildDashboard(outDir: string): Promise<void> {
  await build({
    configFile: path.join(root, 'dashboard.vite.config.ts'),
    logLevel: 'warn',
    build: { outDir, emptyOutDir: true },
  });
}

/** Gives a test file dashboards; they are built and the browser started once for all of them. */
export function dashboardFixture(): Dashboards {
  const newWorld = worldFixture();
  const built = mkdtempSync(path.join(tmpdir(), 'evergrant-dashboard-'));
  const ends: (() => Promise<unknown>)[] = [];
  let browser: Browser;
  beforeAll(async () => {
    await buildDashboard(built);
    browser = await launchChromium();
    runBeside(1);
  }, 300_000);
  afterAll(async () => {
    await browser.close();
    runBeside(-1);
    rmSync(built, { recursive: true, force: true });
  }, 120_000);
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  const newStage: Dashboards['newStage'] = async ({ folder, ...home }) => {
    const daemon = await startDaemon({
      ...{ settings: {}, log: silentLog, ...home },
      ...{ dashboard: built, streaming: undiciStreaming() },
      socket: path.join(folder, 'run', 'evergrant.sock'),
      ...{ random: systemRandom, checkAnswers: true },
    });
    ends.push(() => daemon.close(0));
    const troubles: string[] = [];
    const link = async (): Promise<string> => linkOf(daemon);
    const open: Stage['open'] = async (hash = '', { signedOut = false, ...looks } = {}) => {
      const context = await contextOf(browser, looks);
      ends.push(() => context.close());
      const page = await context.newPage();
      const address = await link();
      listen(page, new URL(address).origin, troubles);
      await page.goto(signedOut ? new URL('/', address).href : address);
      if (!signedOut) await page.getByText('Live', { exact: true }).waitFor();
      if (hash !== '') await goTo(page, hash);
      return page;
    };
    return { daemon, link, open, troubles };
  };
  const newScene: Dashboards['newScene'] = async (how = {}) => {
    const world = await newWorld();
    const { keeper, store, api } = world.first;
    const clock = restless(world.clock);
    const home = { keeper, store, api, folder: world.home, clock, ...how };
    return { world, ...(await newStage(home)) };
  };
  return { newScene, newStage, built };
}

const RESTLESS_MS = 1_000;

/** A clock that stands, but for short waits, which end in real time too: a browser has a clock of its own, and waits for what it is told. */
function restless(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    uptimeMs: () => clock.uptimeMs(),
    timer(delayMs, callback, options) {
      if (delayMs > RESTLESS_MS) return clock.timer(delayMs, callback, options);
      const timers: Timer[] = [];
      const cancel = (): void => timers.splice(0).forEach((timer) => timer.cancel());
      const fire = (): void => {
        cancel();
        callback();
      };
      timers.push(clock.timer(delayMs, fire), systemClock.timer(delayMs, fire, options));
      return { cancel };
    },
  };
}

/** Goes to another screen, as a link of the page does. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

/** Asks a daemon for a link on the socket of its owner. */
export async function linkOf(daemon: Daemon): Promise<string> {
  const { json } = await send(daemon, '/v1/dashboard-links', { method: 'POST', body: {} });
  return json.url as string;
}

async function contextOf(browser: Browser, looks: Looks): Promise<BrowserContext> {
  const { width = 1_440, height = 900, scheme = 'light', reducedMotion = false } = looks;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
    locale: 'en-GB',
    timezoneId: 'UTC',
    // The authority of a test is known to nobody.
    ignoreHTTPSErrors: true,
  });
  context.setDefaultTimeout(20_000);
  return context;
}

function listen(page: Page, origin: string, troubles: string[]): void {
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      troubles.push(`console: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500)
      troubles.push(`${response.status()}: ${response.request().method()} ${response.url()}`);
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) troubles.push(`elsewhere: ${request.url()}`);
  });
}
