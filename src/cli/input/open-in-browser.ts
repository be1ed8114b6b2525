import { spawn } from 'node:child_process';
import { homePaths } from '../../system/home.ts';
import { joinPath, folderOf, removeFile, writePrivateFile } from '../../system/files.ts';
import { sleep } from '../../system/clock.ts';
import type { Session } from '../session.ts';

/** A browser has read the page by then. */
const READ_WITHIN_MS = 5_000;

/**
 * Opens an address that signs in. Arguments of processes can be read by everybody on a machine, so the browser is given a page that only its owner
 * can read, and that leads there.
 *
 * @returns false where there is no desktop to open one on.
 */
export async function openInBrowser(session: Session, url: string): Promise<boolean> {
  const { environment, clock, signal } = session;
  const isMac = process.platform === 'darwin';
  const hasDesktop =
    environment['DISPLAY'] !== undefined || environment['WAYLAND_DISPLAY'] !== undefined;
  if (!isMac && !hasDesktop) return false;
  const { socket } = homePaths(session.globals.home, environment);
  const page = joinPath(folderOf(socket), 'sign-in.html');
  const text = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${url}"><title>evergrant</title>`;
  await writePrivateFile(page, Buffer.from(text));
  const child = spawn(isMac ? 'open' : 'xdg-open', [page], { stdio: 'ignore', detached: true });
  // The address is printed anyway.
  child.on('error', () => undefined);
  child.unref();
  await sleep(clock, READ_WITHIN_MS, signal).finally(() => removeFile(page));
  return true;
}
