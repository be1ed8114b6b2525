import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Interrupted } from '../../../src/cli/interruption.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { fakeKeeper, status } from './fake-keeper.ts';
import { runCli, type Run } from './run-cli.ts';

/*
 * A daemon that was stopped, or hangs: the system takes connections for it, and nobody answers on them.
 */

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

interface Silent {
  readonly home: string;
  /** Resolves at the next request that nobody answers. */
  readonly asked: Promise<unknown>;
}

/** @param isHeard - whether it answers that it is alive, and nothing else. */
async function silentDaemon(isHeard: boolean): Promise<Silent> {
  const home = await mkdtemp(path.join(tmpdir(), 'evergrant-silent-'));
  await mkdir(path.join(home, 'run'), { mode: 0o700 });
  const asked = Promise.withResolvers<undefined>();
  const answer = ({ url }: IncomingMessage, response: ServerResponse): void => {
    if (isHeard && url === '/healthz') response.end('{"status":"alive"}');
    else asked.resolve(undefined);
  };
  const server = createServer(answer).listen(path.join(home, 'run', 'evergrant.sock'));
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
    await rm(home, { recursive: true, force: true });
  });
  return { home, asked: asked.promise };
}

describe('a daemon that does not answer', () => {
  it('is told of, and commands open the store without it', async () => {
    const { home, asked } = await silentDaemon(false);
    const clock = fakeClock();
    const keeper = fakeKeeper([status({ name: 'alpha' })]);
    const run = runCli(['list', '--home', home], { keeper, clock });
    await asked;
    await clock.advance(5_000);
    expect(await run).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('alpha'),
      stderr: expect.stringMatching(/sock does not answer within 5 s; .*opened without it\n$/),
    });
  });

  it('is what doctor finds, also with --direct', async () => {
    const { home, asked } = await silentDaemon(false);
    const clock = fakeClock();
    const run = runCli(['doctor', '--direct', '--json', '--home', home], { clock });
    await asked;
    await clock.advance(5_000);
    const { stdout } = await run;
    expect(stdout).toMatch(/"check":"daemon","verdict":"fail","message":"[^"]*does not answer/);
  });

  it.each([
    ['before it was found', false, ['list']],
    ['while it owes an answer', true, ['list']],
    ['while it owes a link', false, ['dashboard']],
  ])('keeps no command from ending at a signal: %s', async (_, isHeard, words) => {
    const { home, asked } = await silentDaemon(isHeard);
    const process = new AbortController();
    const run = runCli([...words, '--home', home], { signal: process.signal });
    await asked;
    process.abort(new Interrupted('SIGTERM'));
    expect(await run).toMatchObject({ code: 143, stdout: '', stderr: '' } satisfies Run);
  });

  it('is given up after a minute where only it can do what was asked', async () => {
    const { home, asked } = await silentDaemon(false);
    const clock = fakeClock();
    const run = runCli(['dashboard', '--home', home], { clock });
    await asked;
    await clock.advance(60_000);
    expect(await run).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(/does not answer within 60 s; look whether it was stopped/),
    });
  });
});
