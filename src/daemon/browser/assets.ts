import { gzipSync } from 'node:zlib';
import { folderOf, joinPath, listFolder, readSystemFile } from '../../system/files.ts';

/*
 * The files of the dashboard, as `npm run build` leaves them: few, small, text, and read once.
 */

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** One file. */
export interface Asset {
  /** Media type. */
  readonly type: string;
  /** What it holds. */
  readonly text: string;
  /** The same, compressed. */
  readonly gzip: Uint8Array;
}

/** The dashboard's files by address; undefined when it was not built. */
export async function loadAssets(
  folder: string | undefined,
): Promise<ReadonlyMap<string, Asset> | undefined> {
  const at = folder ?? (await findFolder(import.meta.dirname));
  if (at === undefined) return undefined;
  const found = new Map<string, Asset>();
  const shell = await readAsset(joinPath(at, 'index.html'));
  if (shell === undefined) return undefined;
  found.set('index.html', shell);
  for (const name of await listFolder(joinPath(at, 'assets'))) {
    const asset = await readAsset(joinPath(at, 'assets', name));
    if (asset !== undefined) found.set(name, asset);
  }
  return found;
}

/** Upwards from this file, whether it runs from `src` or from `dist`. */
async function findFolder(from: string): Promise<string | undefined> {
  const here = joinPath(from, 'dist', 'dashboard');
  if ((await readSystemFile(joinPath(here, 'index.html'))) !== undefined) return here;
  const above = folderOf(from);
  return above === from ? undefined : findFolder(above);
}

async function readAsset(path: string): Promise<Asset | undefined> {
  const type = TYPES[/\.([a-z]+)$/.exec(path)?.[1] ?? ''];
  const text = type === undefined ? undefined : await readSystemFile(path);
  if (type === undefined || text === undefined) return undefined;
  return { type, text, gzip: gzipSync(text, { level: 9 }) };
}
