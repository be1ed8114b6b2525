import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a new folder that only this user can enter, where the system keeps what is not to last. */
export async function makeTemporaryFolder(prefix: string): Promise<string> {
  // The system's own path may lead through a link, which a home must not.
  return fs.mkdtemp(join(await fs.realpath(tmpdir()), prefix));
}

/** Removes a folder with all that is in it, if it is there. */
export async function removeFolder(path: string): Promise<void> {
  await fs.rm(path, { recursive: true, force: true, maxRetries: 3 });
}
