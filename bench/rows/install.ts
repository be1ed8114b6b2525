import { execFile } from 'node:child_process';
import { cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import type { Row } from '../harness/row.ts';

const root = path.resolve(import.meta.dirname, '../..');
const MEGABYTE = 1024 * 1024;
const run = promisify(execFile);

/** What comes with `npm install evergrant`. */
export const install: Row = {
  name: 'install',
  work: '`npm install` of the packed tarball in an empty folder',
  limit: 'nothing',
  measure: 'what lies in `node_modules` afterwards',
  unit: 'packages',
  rest: 'the command line and the legs at which a person waits; `evergrant token` loads none of them',
  async run() {
    const scratch = await mkdtemp(path.join(tmpdir(), 'evergrant-bench-install-'));
    try {
      const folder = path.join(scratch, 'user');
      await installInto(folder, await pack(scratch));
      const { packages, scripted, bytes } = await weigh(folder);
      return {
        figures: [
          { name: 'evergrant', value: packages },
          { name: 'nothing', value: 0 },
        ],
        judged: [
          { what: 'packages', is: packages, atMost: 25 },
          { what: 'MB', is: bytes / MEGABYTE, atMost: 15 },
          { what: 'install scripts', is: scripted, atMost: 0 },
        ],
      };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
};

/** Builds and packs beside the clone, whose `dist/` is left alone. @returns the tarball. */
async function pack(scratch: string): Promise<string> {
  const folder = path.join(scratch, 'package');
  const contents = [...packageJson.files, 'package.json', 'README.md', 'LICENSE'];
  for (const name of contents.filter((each) => each !== 'dist')) {
    await cp(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  const tsdown = path.join(root, 'node_modules/tsdown/dist/run.mjs');
  await run(process.execPath, [tsdown, '--out-dir', path.join(folder, 'dist')], { cwd: root });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', scratch], { cwd: folder });
  return path.join(scratch, `${packageJson.name}-${packageJson.version}.tgz`);
}

async function installInto(folder: string, tarball: string): Promise<void> {
  await mkdir(folder);
  const manifest = { name: 'user', version: '1.0.0', private: true, type: 'module' };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...quietly, tarball], { cwd: folder });
}

async function weigh(
  folder: string,
): Promise<{ readonly packages: number; readonly scripted: number; readonly bytes: number }> {
  const modules = path.join(folder, 'node_modules');
  const lock = await readFile(path.join(modules, '.package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as {
    readonly packages: Record<string, { readonly hasInstallScript?: boolean }>;
  };
  const entries = await readdir(modules, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await lstat(path.join(parentPath, name))).size),
  );
  const installed = Object.values(packages);
  return {
    packages: installed.length,
    scripted: installed.filter(({ hasInstallScript }) => hasInstallScript === true).length,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}
