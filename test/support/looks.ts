import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { Looks } from './dashboard.ts';

/*
 * What is wrong with a screen, as far as a program can see it.
 */

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Where to leave pictures, for whoever wants to look at them. */
const pictures = process.env['EVERGRANT_PICTURES'];

/** How the dashboard is looked at: wide and narrow, in light and in dark. */
export const LOOKS: readonly (Looks & { readonly name: string })[] = [
  { name: 'light, 1440', width: 1_440, scheme: 'light' },
  { name: 'dark, 1440', width: 1_440, scheme: 'dark' },
  { name: 'light, 320', width: 320, height: 700, scheme: 'light' },
  { name: 'dark, 320', width: 320, height: 700, scheme: 'dark', reducedMotion: true },
];

/** Faults of a screen: what axe finds, and whether one must scroll sideways. Leaves a picture where `EVERGRANT_PICTURES` names a folder. */
export async function judge(page: Page, name: string, looks: Looks): Promise<string[]> {
  await page.waitForTimeout(100);
  await picture(page, name, looks);
  const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  const found = await violations(page);
  return [
    ...(wide > 0 ? [`${name}: ${wide} px too wide`] : []),
    ...found.map((one) => `${name}: ${one}`),
  ];
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>(`'axe' in window`))) await page.evaluate(axe);
  const found = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} ${html.slice(0, 160)} ${failureSummary}`),
  );
}

async function picture(page: Page, name: string, { width, scheme }: Looks): Promise<void> {
  if (pictures === undefined) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({
    path: path.join(pictures, `${name}-${scheme}-${width}.png`),
    fullPage: true,
  });
}

/** The same in every look, one after the other. */
export async function judgeAll(page: Page, name: string): Promise<string[]> {
  const faults: string[] = [];
  for (const looks of LOOKS) {
    const { width = 1_440, height = 900, scheme = 'light' } = looks;
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: scheme });
    faults.push(...(await judge(page, name, looks)).map((fault) => `${looks.name}, ${fault}`));
  }
  await page.setViewportSize({ width: 1_440, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
  return faults;
}
