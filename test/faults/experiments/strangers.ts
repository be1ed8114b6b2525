import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeHomeOfTokens } from '../../support/living-token.ts';
import { askAt, serve } from '../../support/serving.ts';
import { Findings } from './findings.ts';

/*
 * Another user of the machine tries to reach the owner's socket, and to put a socket in its place. All folders above the home are open to everybody, so
 * that nothing but the daemon's own folder stands in the way.
 */

/** Nobody's. */
const STRANGER = 65_534;
const main = path.join(import.meta.dirname, '../../support/stranger.process.ts');
const run = promisify(execFile);

/** @param times - how often it is tried. */
export async function trespass(times: number): Promise<Findings> {
  const findings = new Findings('tries', 'reached', 'the owner was shut out', 'no stranger');
  if (process.getuid?.() !== 0) {
    findings.notRun(times, 'only root can become another user');
    return findings;
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-strangers-'));
  await using _folder = {
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  // Where this lies, another user may not be able to read it.
  const program = path.join(folder, 'stranger.mts');
  await copyFile(main, program);
  await chmod(folder, 0o755);
  const asStranger = { uid: STRANGER, gid: STRANGER, cwd: '/', env: {} };
  if (!(await succeeds(run(process.execPath, ['-e', '0'], asStranger)))) {
    findings.notRun(times, 'another user cannot run this Node');
    return findings;
  }
  const home = path.join(folder, 'home');
  await makeHomeOfTokens(home, { it: 86_400_000 });
  await using daemon = await serve(home);
  await chmod(home, 0o755);
  const send = async (tries: number): Promise<Record<string, number>> => {
    const command = [program, daemon.socket, String(tries)];
    const { stdout } = await run(process.execPath, command, asStranger);
    return JSON.parse(stdout) as Record<string, number>;
  };
  const { tried = 0, EACCES = 0, ...others } = await send(times);
  findings.count('tries', tried);
  findings.check(tried === EACCES, 'reached', JSON.stringify(others));
  const { status } = await askAt(daemon.socket, '/v1/connections/it/token');
  findings.check(status === 200, 'the owner was shut out', `it got ${String(status)}`);
  // With the doors open it gets in, so it was the doors that held it.
  await chmod(path.dirname(daemon.socket), 0o755);
  await chmod(daemon.socket, 0o666);
  const { reached = 0 } = await send(1);
  findings.check(reached === 1, 'no stranger', 'it gets in nowhere');
  return findings;
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
