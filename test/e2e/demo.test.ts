import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Row } from '../../src/demo/demo.ts';
import { launchChromium } from '../support/chromium.ts';
import { buildDashboard } from '../support/dashboard.ts';
import { root } from '../support/sources.ts';

// Chains of processes, on a machine that has other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const main = path.join(root, 'src/cli/main.ts');

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'demo-test-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
  /** Resolves when the text has been printed on either stream, to all that was printed so far. */
  readonly printed: (text: string) => Promise<string>;
}

interface Start {
  readonly environment?: Record<string, string>;
  readonly nodeOptions?: readonly string[];
}

/** Starts evergrant in a process group of its own, with an empty folder for what does not last. */
function start(
  args: readonly string[],
  { environment = {}, nodeOptions = [] }: Start = {},
): Running {
  const child = spawn(process.execPath, [...nodeOptions, main, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, ...environment },
  });
  let stdout = '';
  let stderr = '';
  let look = (): void => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    look();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    look();
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, stdout, stderr }));
  const printed = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      look = () => {
        const all = `${stdout}${stderr}`;
        if (all.includes(text)) resolve(all);
      };
      look();
      void ended.then(() => reject(new Error(`ended before it printed ${text}: ${stderr}`)));
    });
  return { child, ended, printed };
}

/** Whether a process of the group that `child` leads still runs. */
function isGroupAlive({ pid = 0 }: ChildProcess): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function rowsOf(stdout: string): { readonly ok: boolean; readonly rows: readonly Row[] } {
  return JSON.parse(stdout) as { ok: boolean; rows: Row[] };
}

describe('evergrant demo', () => {
  it('shows nine things that hold, in plain text of 80 columns, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await start(['demo']).ended;
    expect(stdout).not.toContain('FAILED');
    expect(stdout.match(/ {2}ok$/gm)).toHaveLength(9);
    expect(stdout).toContain('All 9 held');
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('has colours where they are asked for', async () => {
    const running = start(['demo'], { environment: { FORCE_COLOR: '1' } });
    await running.printed('\u001b[32mok');
    running.child.kill('SIGINT');
    await running.ended;
  });

  it('fails, and says why, when what it shows does not hold', async () => {
    const run = await start(['demo', '--json'], {
      nodeOptions: ['--conditions=evergrant-test'],
      environment: { EVERGRANT_SABOTAGE: 'intent' },
    }).ended;
    const { ok, rows } = rowsOf(run.stdout);
    expect(run.code).toBe(1);
    expect(ok).toBe(false);
    expect(rows.filter((row) => !row.ok)).toEqual([
      {
        title: expect.stringContaining('single use'),
        counted: expect.any(String),
        ok: false,
        reason: expect.stringMatching(/^not so: .*the owner was told once/),
      },
    ]);
    expect(rows).toHaveLength(9);
  });

  it('ends at once when it is interrupted, and takes its processes and folders with it', async () => {
    const running = start(['demo']);
    await running.printed('1,000 callers ask');
    running.child.kill('SIGINT');
    const { code } = await running.ended;
    expect(code).toBe(130);
    expect(isGroupAlive(running.child)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends without a word when nobody reads on, with what was shown so far as its exit code', async () => {
    const running = start(['demo']);
    await running.printed('what was done');
    running.child.stdout!.destroy();
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('Next:');
    expect(isGroupAlive(running.child)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps connections to try commands on, with a daemon and its dashboard, until it is interrupted', async () => {
    await ensureDashboard();
    const running = start(['demo', '--keep']);
    const printed = await running.printed('Ctrl-C ends all of it');
    const [, home = ''] = /EVERGRANT_HOME=(\S+)/.exec(printed) ?? [];
    const [link = ''] = /http:\S+sign-in#\S+/.exec(printed) ?? [];
    const environment = { EVERGRANT_HOME: home };
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(60_000);
      await page.goto(link);
      await page.getByRole('heading', { level: 1, name: 'need somebody' }).waitFor();
      await page.getByRole('link', { name: 'crm-import' }).first().click();
      await page.getByText('All sign-ins of this account were revoked').first().waitFor();
      await page.getByRole('link', { name: 'Events' }).click();
      // What the daemon and the servers do on their own, without anybody asking.
      await page.getByRole('log').getByText('Refreshed').first().waitFor();
    } finally {
      await browser.close();
    }
    const token = await start(['token', 'perspio'], { environment }).ended;
    const call = await start(['call', 'perspio', '/assets/v3/'], { environment }).ended;
    expect(token).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S{40,}\n$/) });
    expect(call).toMatchObject({ code: 0, stdout: expect.stringContaining('Excavator') });
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(isGroupAlive(running.child)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** A daemon that runs from the sources serves the dashboard where the build leaves it. */
async function ensureDashboard(): Promise<void> {
  const built = path.join(root, 'dist/dashboard');
  if (!existsSync(path.join(built, 'index.html'))) await buildDashboard(built);
}
