import { createReadStream, createWriteStream, existsSync, renameSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';
import { root } from './sources.ts';

/*
 * A real Chromium: the one that a development dependency brings along, or the machine's own where that one does not run.
 */

const OWN = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars'];
/** A machine under load takes its time. */
const PATIENCE_MS = 120_000;

/** Starts a browser without a window. @throws when none runs here. */
export async function launchChromium(): Promise<Browser> {
  const found = [await unpacked(), ...OWN.filter((file) => existsSync(file))];
  const failures: unknown[] = [];
  for (const executablePath of found.filter((file) => file !== undefined)) {
    try {
      return await chromium.launch({ executablePath, args: ARGUMENTS, timeout: PATIENCE_MS });
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(
    failures,
    'no Chromium runs on this machine; install one, or run the tests on Linux x64',
  );
}

/** The packed one, unpacked once for this checkout. Renamed when it is whole, so that processes beside each other do not meet half of it. */
async function unpacked(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const require = createRequire(import.meta.url);
  const packed = path.join(
    path.dirname(require.resolve('@sparticuz/chromium')),
    '../bin/chromium.br',
  );
  const folder = path.join(root, 'node_modules/.cache/evergrant');
  const file = path.join(folder, 'chromium-153.0.0');
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const half = `${file}.${process.pid}`;
  await pipeline(
    createReadStream(packed),
    createBrotliDecompress(),
    createWriteStream(half, { mode: 0o700 }),
  );
  renameSync(half, file);
  return file;
}
