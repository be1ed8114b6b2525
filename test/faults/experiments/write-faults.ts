import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { EmulatorProcess } from '../../support/emulator-process.ts';
import { Findings } from './findings.ts';
import { keptHomeAt, startServer } from './servers.ts';

/*
 * One call of the kernel that writes or syncs fails while a keeper refreshes, for each such call in turn. strace makes it fail; where that
 * is missing, or may not trace, nothing can be said and all trials count as not run.
 */

/** What fails, and how. */
const FAULTS = [
  ['fsync', 'EIO'],
  ['pwrite64', 'ENOSPC'],
  ['pwrite64', 'EIO'],
] as const;

/** Refreshes of each keeper, so that the first and the later calls of each kind are hit. */
const REFRESHES = 3;

/** Lets each of the first so many calls of each kind fail, one at a time. */
export async function failEachWrite(calls: number): Promise<Findings> {
  const findings = new Findings(
    'keepers',
    'calls that failed',
    'told before it was stored',
    'answers dropped',
    'a refresh token sent twice',
    'not well again',
  );
  if (!canTrace()) {
    findings.notRun(calls * FAULTS.length, 'strace is missing, or may not trace here');
    return findings;
  }
  await using server = await startServer();
  for (let nth = 1; nth <= calls; nth++) {
    for (const [call, errno] of FAULTS) {
      await failOnce(server, findings, { call, errno, nth });
    }
  }
  return findings;
}

interface Fault {
  readonly call: string;
  readonly errno: string;
  readonly nth: number;
}

async function failOnce(
  server: EmulatorProcess,
  findings: Findings,
  { call, errno, nth }: Fault,
): Promise<void> {
  const which = `${call} number ${String(nth)} fails with ${errno}`;
  const { home: made, grantId } = await keptHomeAt(server, 'single-use');
  await using home = made;
  const trace = path.join(home.path, '..', 'trace');
  const inject = `inject=${call}:error=${errno}:when=${String(nth)}`;
  const under = ['strace', '-f', '-qq', '-o', trace, '-e', `trace=${call}`, '-e', inject];
  findings.count('keepers');
  try {
    const victim = await home.spawn({ under, isQuiet: true });
    await victim.refresh(REFRESHES);
    await victim.close();
    const told = victim.events.flatMap(({ event, generation }) =>
      event === 'refreshed' && generation !== undefined ? [generation] : [],
    );
    const { generation } = (await home.look()).connection;
    findings.check(Math.max(0, ...told) <= generation, 'told before it was stored', which);
  } catch {
    // The keeper could not be opened; then it has sent nothing, which is checked below.
  }
  const isHit = (await readFile(trace, 'utf8')).includes('(INJECTED)');
  findings.count('calls that failed', isHit ? 1 : 0);
  // What waits in a spill file is recorded when the connection is used.
  await home.visit((kept) => kept.refresh()).catch(() => undefined);
  const { connection, refreshToken } = await home.look();
  const isHonoured = await server.isRefreshTokenHonoured(refreshToken);
  const sent = await server.ledger.count({ endpoint: 'token', grantId });
  const told = `${which}, ${String(sent)} requests, generation ${String(connection.generation)}`;
  findings.check(isHonoured && connection.generation === 1 + sent, 'answers dropped', told);
  const isWell = connection.state.kind === 'active' && sent > 0;
  findings.check(isWell, 'not well again', `${told}, state ${connection.state.kind}`);
  const replays = await server.ledger.count({ endpoint: 'token', grantId, replay: true });
  findings.check(replays === 0, 'a refresh token sent twice', which);
}

function canTrace(): boolean {
  try {
    execFileSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}
