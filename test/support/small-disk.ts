import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system in memory that is soon full. */
export interface SmallDisk extends AsyncDisposable {
  /** Its folder. */
  readonly path: string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  /** Refuses every write from now on. */
  makeReadOnly(): void;
  /** Takes writes again. */
  makeWritable(): void;
}

/** Mounts one of so many KiB in a folder of its own; undefined where this user may not mount. */
export async function smallDisk(kib: number): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-small-'));
  if (!mount(folder, kib)) {
    await rm(folder, { recursive: true });
    return undefined;
  }
  const ballast = path.join(folder, 'ballast');
  const remount = (how: string): void => {
    execFileSync('mount', ['-o', `remount,${how}`, folder]);
  };
  return {
    path: folder,
    fill: () => fill(ballast),
    free: () => rmSync(ballast, { force: true }),
    makeReadOnly: () => remount('ro'),
    makeWritable: () => remount('rw'),
    async [Symbol.asyncDispose]() {
      execFileSync('umount', ['-l', folder]);
      await rm(folder, { recursive: true });
    },
  };
}

function mount(folder: string, kib: number): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${String(kib)}k,mode=700`, 'none', folder];
    execFileSync('mount', options, { stdio: 'ignore' });
  } catch {
    return false;
  }
  return true;
}

function fill(ballast: string): void {
  const file = openSync(ballast, 'a');
  const block = Buffer.alloc(1_024);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}
