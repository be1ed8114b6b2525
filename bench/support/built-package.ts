import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/** The package as its users get it, in a folder that holds no sources. */
export interface BuiltPackage {
  /** The command. */
  readonly bin: string;
  /** Removes the folder. */
  remove(): Promise<void>;
}

/** Builds the package beside its dependencies; `dist/` of the clone is left alone. */
export async function buildPackage(): Promise<BuiltPackage> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'evergrant-bench-build-'));
  const folder = path.join(scratch, 'node_modules/evergrant');
  await cp(path.join(root, 'bin'), path.join(folder, 'bin'), { recursive: true });
  await cp(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const tsdown = path.join(root, 'node_modules/tsdown/dist/run.mjs');
  const target = path.join(folder, 'dist');
  await run(process.execPath, [tsdown, '--out-dir', target, '--no-dts'], { cwd: root });
  return {
    bin: path.join(folder, 'bin/evergrant.cjs'),
    remove: () => rm(scratch, { recursive: true, force: true }),
  };
}
