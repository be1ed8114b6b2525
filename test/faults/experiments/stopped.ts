import { copyFile, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { EmulatorProcess } from '../../support/emulator-process.ts';
import type { KeeperProcess } from '../../support/keeper-process.ts';
import type { KeptHome } from '../../support/kept-home.ts';
import { Findings } from './findings.ts';
import { keptHomeAt, LIFE_MS, startServer } from './servers.ts';

/*
 * A process is stopped by SIGSTOP while it holds the claim. It is alive, so nobody may take its claim, however long it stands, whatever
 * becomes of the file that vouches for it. When it goes on, its answer counts.
 */

/** Where the holder is stopped. */
export const STOPS = [
  'after-lock',
  'after-connect',
  'after-intent',
  'after-send',
  'full-answer',
] as const;

/** What is done to the holder's life file meanwhile. */
export const INJURIES = ['none', 'removed', 'replaced by a copy'] as const;

/** See {@link INJURIES}. */
export type Injury = (typeof INJURIES)[number];

const PROMISES = [
  'callers kept waiting while the token lived',
  'a living owner taken for dead',
  'blocked callers that were not told so',
  'a refresh token sent twice',
  'answers dropped',
  'callers without a token afterwards',
];

/** Stops a holder and lets it go on when the token has expired. */
export async function stopHolder(
  point: (typeof STOPS)[number],
  injury: Injury = 'none',
): Promise<Findings> {
  const findings = new Findings('stops', ...PROMISES);
  await using server = await startServer();
  const { home: made, grantId } = await keptHomeAt(server, 'single-use');
  await using home = made;
  await using holder = await home.spawn({ failpoints: [`${point}:stop`] });
  await using other = await home.spawn();
  const refreshed = holder.refresh();
  await holder.stopped();
  await injure(home, injury);
  const where = `stopped at ${point}, life file ${injury}`;
  findings.count('stops');

  await askWhileStopped(server, other, findings, where);
  const waiting = other.token({ callers: 20 });
  holder.resume();
  await refreshed;
  for (const one of await waiting) {
    findings.check(
      'value' in one,
      'callers without a token afterwards',
      `${where}, ${JSON.stringify(one)}`,
    );
  }
  await compare(server, home, grantId, findings, where);
  return findings;
}

async function askWhileStopped(
  server: EmulatorProcess,
  other: KeeperProcess,
  findings: Findings,
  where: string,
): Promise<void> {
  // Nobody who has no patience at all may be kept waiting for a token that lives.
  const living = await other.token({ callers: 20, timeoutMs: 0 });
  const isServed = living.every((one) => 'value' in one);
  findings.check(
    isServed,
    'callers kept waiting while the token lived',
    `${where}, ${JSON.stringify(living)}`,
  );
  await Promise.all([server.clock.advance(LIFE_MS), other.advance(LIFE_MS)]);
  // Their time is up at many instants, so that some fall into a look at whether the holder still lives.
  const patience = Array.from({ length: 60 }, (_, i) => 500 + 5 * i);
  const answers = await Promise.all(patience.map((timeoutMs) => other.token({ timeoutMs })));
  for (const one of answers.flat()) {
    findings.check('code' in one, 'a living owner taken for dead', where);
    const isTold = 'code' in one && one.code === 'ERR_REFRESH_BLOCKED';
    findings.check(isTold, 'blocked callers that were not told so', JSON.stringify(one));
  }
}

/** Each answer that the server gave must have become a generation. */
async function compare(
  server: EmulatorProcess,
  home: KeptHome,
  grantId: string,
  findings: Findings,
  where: string,
): Promise<void> {
  const entries = await server.ledger.entries({ endpoint: 'token', grantId });
  const replays = entries.filter(({ replay }) => replay);
  findings.check(replays.length === 0, 'a refresh token sent twice', where);
  const { connection, refreshToken } = await home.look();
  const isCurrent = await server.isRefreshTokenHonoured(refreshToken);
  const told = `${where}, ${String(entries.length)} requests, generation ${String(connection.generation)}`;
  findings.check(
    isCurrent && connection.generation === 1 + entries.length,
    'answers dropped',
    told,
  );
}

async function injure(home: KeptHome, injury: Injury): Promise<void> {
  if (injury === 'none') return;
  const folder = path.join(home.path, 'store', 'run');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.life'));
  for (const file of names.map((name) => path.join(folder, name))) {
    if (injury === 'removed') await rm(file);
    else {
      await copyFile(file, `${file}.copy`);
      await rename(`${file}.copy`, file);
    }
  }
}
