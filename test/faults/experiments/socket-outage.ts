import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openKeeper } from '../../../src/keeper.ts';
import type { BeginOptions } from '../../../src/keeper-api.ts';
import type { EmulatorProcess } from '../../support/emulator-process.ts';
import { emptyLane, inLanes } from '../../support/lanes.ts';
import { askAt, serve } from '../../support/serving.ts';
import { Findings } from './findings.ts';
import { LIFE_MS, registrationAt, signInAt, startServer } from './servers.ts';

/*
 * The authorization server takes requests and answers none. Many connections wait for it; tokens of others, which live, are drawn on the socket of a
 * real daemon, in turns with a server of `node:http` that does nothing but answer. How long either takes is told, and judged by whoever reads it:
 * what a busy machine adds, it adds to both.
 */

const WAITING = 500;
const LIVING = 20;
const LANES = 4;
const PROMISES = ['refused', 'asked the server', 'the server answered'] as const;
const BARE_CHARACTERS = 1_500;

/** @param calls - tokens that are drawn. */
export async function drawInOutage(calls: number): Promise<Findings> {
  const findings = new Findings('waiting refreshes', 'tokens drawn', ...PROMISES);
  await using server = await startServer();
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-outage-'));
  await using _folder = {
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  const home = path.join(folder, 'home');
  const living = await fill(home, server);
  await server.ledger.clear();
  await server.faults.always('hang-before-commit');
  await using daemon = await serve(home);
  const agent = new Agent({ keepAlive: true });
  const waiting = Array.from({ length: WAITING }, (_, i) =>
    askAt(daemon.socket, `/v1/connections/waiting-${String(i)}/token?timeout=1h`).catch(() => ({
      status: 0,
    })),
  );
  let answered = 0;
  for (const one of waiting) void one.then(() => answered++);
  await server.ledger.waitFor(WAITING, { endpoint: 'token' });
  const bare = await startBare(path.join(folder, 'bare.sock'));
  const times = { daemon: [] as number[], bare: [] as number[] };
  const timed = async (socket: string, target: string, into: number[]): Promise<number> => {
    const since = performance.now();
    const { status } = await askAt(socket, target, { agent });
    into.push(performance.now() - since);
    return status;
  };
  // One after the other: a queue of draws would show how long it is, and not how long one takes.
  for (let i = 0; i < calls; i++) {
    const target = `/v1/connections/living-${String(i % LIVING)}/token`;
    const status = await timed(daemon.socket, target, times.daemon);
    findings.count('tokens drawn');
    findings.check(status === 200, 'refused', `draw ${String(i)}: ${String(status)}`);
    await timed(bare.socket, '/', times.bare);
  }
  findings.count('waiting refreshes', WAITING - answered);
  // As long as nobody who waits was answered, nothing that was drawn can have waited for the server either.
  findings.check(answered === 0, 'the server answered', `${String(answered)} times`);
  for (const { grantId = '' } of await server.ledger.entries({ endpoint: 'token' })) {
    findings.check(!living.has(grantId), 'asked the server', 'for a connection whose token lives');
  }
  for (const [who, all] of Object.entries(times)) report(findings, who, all);
  agent.destroy();
  await bare.close();
  return findings;
}

function report(findings: Findings, who: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  for (const share of [0.5, 0.99, 0.999]) {
    const at = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    findings.counted[`p${String(share * 100)} of ${who}, ms`] = Math.round(at * 100) / 100;
  }
}

/** Many without an access token, and a few with one that lives. @returns the grants of those. */
async function fill(home: string, server: EmulatorProcess): Promise<ReadonlySet<string>> {
  const grants = new Set<string>();
  await using keeper = await openKeeper({ home });
  const settings = JSON.stringify({ requestsPerSecond: 1_000 });
  await writeFile(path.join(home, 'settings.json'), settings, { mode: 0o600 });
  const begin: BeginOptions = registrationAt(server, 'single-use');
  const names = Array.from({ length: WAITING + LIVING }, (_, i) =>
    i < WAITING ? `waiting-${String(i)}` : `living-${String(i - WAITING)}`,
  );
  await inLanes(names, LANES, emptyLane, async (name) => {
    const { grantId, refreshToken, accessToken } = await signInAt(server, 'single-use');
    const isLiving = name.startsWith('living');
    if (isLiving) grants.add(grantId);
    const living = isLiving && { accessToken, accessExpiresAt: Date.now() + LIFE_MS };
    await keeper.add(name, { ...begin, tokens: { refreshToken, ...living } });
  });
  return grants;
}

async function startBare(socket: string): Promise<{ socket: string; close(): Promise<void> }> {
  const main = path.join(import.meta.dirname, '../../support/bare-server.process.ts');
  const child = fork(main, [socket, String(BARE_CHARACTERS)], { execArgv: [] });
  await once(child, 'message');
  return {
    socket,
    async close() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}
