import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import type { EndpointState } from '../../../src/connection/record.ts';
import { clientStatus, fakeHome, fakeKeeper, NOW, status } from './fake-keeper.ts';
import { runCli, type Run } from './run-cli.ts';

const disk = vi.hoisted(() => ({ bytes: 1e12, files: 1e6 }));
vi.mock(import('../../../src/system/file-system.ts'), async (importActual) => ({
  ...(await importActual()),
  freeSpace: async () => disk,
}));

let home: string;

beforeEach(() => {
  Object.assign(disk, { bytes: 1e12, files: 1e6 });
  home = mkdtempSync(path.join(tmpdir(), 'evergrant-doctor-'));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

interface Finding {
  readonly check: string;
  readonly verdict: string;
  readonly message: string;
  readonly remedy: string | null;
}

async function examine(
  changes: Parameters<typeof runCli>[1] = {},
): Promise<{ readonly run: Run; readonly bad: readonly Finding[] }> {
  const run = await runCli(['doctor', '--json', '--home', home], changes);
  const findings = JSON.parse(run.stdout) as Finding[];
  // Tests may run as root.
  return {
    run,
    bad: findings.filter(({ verdict, check }) => verdict !== 'ok' && check !== 'user'),
  };
}

/** A home whose store answers so. */
function storeThat(answers: Parameters<typeof fakeHome>[1]): Parameters<typeof runCli>[1] {
  return { openHome: async () => fakeHome(fakeKeeper(), answers) };
}

describe('evergrant doctor', () => {
  it('finds nothing where all is well', async () => {
    expect(await examine()).toMatchObject({ run: { code: 0 }, bad: [] });
  });

  it('says in plain words how many connections and registrations there are', async () => {
    const of = async (keeper: ReturnType<typeof fakeKeeper>): Promise<string> =>
      (await runCli(['doctor', '--home', home], { keeper })).stdout;
    const none = await of(fakeKeeper([], { clients: [] }));
    expect(none).toMatch(/^ok {4}connections {6}none yet$/m);
    expect(none).toMatch(/^ok {4}registrations {4}none yet$/m);
    const clients = [clientStatus(), clientStatus({ clientId: 'old', connections: 0 })];
    const some = await of(fakeKeeper([status()], { clients }));
    expect(some).toMatch(/^ok {4}connections {6}1, on none of which anybody must act$/m);
    expect(some).toMatch(
      /registrations {4}2, none refused; used by no connection: old \(evergrant client remove\)$/m,
    );
  });

  it('prints one line for each check, and what to do below', async () => {
    const { stdout } = await runCli(['doctor', '--home', home], {
      environment: { NODE_DEBUG: 'http' },
    });
    expect(stdout).toMatch(/^ok {4}node version {5}Node\.js \d+/m);
    expect(stdout).toMatch(
      /^warn {2}environment {6}NODE_DEBUG makes Node print .*\n {23}unset it$/m,
    );
  });

  it('fails with 2 where certificates are not checked', async () => {
    const found = await examine({ environment: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } });
    expect(found).toMatchObject({
      run: { code: 2 },
      bad: [{ check: 'environment', verdict: 'fail' }],
    });
  });

  it.each([
    [{ NODE_OPTIONS: '--inspect=9229' }, 'debugger port'],
    [{ NODE_OPTIONS: '--require ./x.js' }, 'loads code'],
    [{ NODE_OPTIONS: '--report-on-fatalerror' }, 'write memory'],
    [{ SSLKEYLOGFILE: '/tmp/keys' }, 'TLS traffic'],
  ])('warns of %j', async (environment, message) => {
    expect(await examine({ environment })).toMatchObject({
      run: { code: 0 },
      bad: [{ verdict: 'warn', message: expect.stringContaining(message) }],
    });
  });

  it('fails with 9 where others can enter the home', async () => {
    chmodSync(home, 0o755);
    expect(await examine()).toMatchObject({
      run: { code: 9 },
      bad: [{ check: 'home', remedy: expect.stringContaining('chmod 700') }],
    });
  });

  it.each([
    ['warn', 0, 64 * 1_048_576 - 1, undefined, 'has 64.0 MiB left'],
    ['warn', 0, 262_144, 9, 'has 262144 bytes left'],
    ['fail', 9, 262_143, 9, 'has 262143 bytes left'],
    ['fail', 9, 0, undefined, 'has 0 bytes left'],
    ['fail', 9, 1e12, 0, 'takes no more files'],
    ['warn', 0, 1e12, 99, 'takes only 99 more files'],
  ])(
    'tells of a disk that is nearly full: %s, exit code %d for %d bytes and %s files',
    async (verdict, code, bytes, files, message) => {
      Object.assign(disk, { bytes, files });
      const remedy = expect.stringContaining('free some') as string;
      const told = { verdict, message: `the disk of ${home} ${message}`, remedy, freeBytes: bytes };
      expect(await examine()).toMatchObject({ run: { code }, bad: [{ check: 'disk', ...told }] });
    },
  );

  it.each([
    [64 * 1_048_576, 100, '64.0 MiB left'],
    [3.5 * 2 ** 30, undefined, '3.5 GiB left'],
    [2 ** 50, undefined, '1024.0 TiB left'],
  ])('says how much room there is: %d bytes', async (bytes, files, words) => {
    Object.assign(disk, { bytes, files });
    const { stdout } = await runCli(['doctor', '--home', home]);
    expect(stdout).toContain(`ok    disk             ${words}\n`);
  });

  it('warns of a copied store, and lets its connections go on when told so', async () => {
    let accepted = 0;
    const copied = storeThat({
      copyStatus: async () => ({
        epoch: 2,
        unconfirmed: { since: NOW, because: 'its file is a backup' },
      }),
      acceptCopy: async () => ++accepted,
    });
    expect(await examine(copied)).toMatchObject({
      run: { code: 0 },
      bad: [{ check: 'copied store', remedy: expect.stringContaining('--accept-copy') }],
    });
    expect(accepted).toBe(0);
    const told = await runCli(['doctor', '--accept-copy', '--home', home], copied);
    expect(told).toMatchObject({ code: 0, stdout: '', stderr: 'connections that go on: 1\n' });
  });

  it('fails with 9 where something in the store is damaged', async () => {
    const found = 'the stored connection 1 was altered or damaged; restore a backup';
    expect(await examine(storeThat({ findDamage: async () => [found] }))).toMatchObject({
      run: { code: 9 },
      bad: [{ check: 'damage', message: 'the stored connection 1 was altered or damaged' }],
    });
  });

  it('fails with 9 and the reason where the store does not open', async () => {
    const openHome = async (): Promise<never> => {
      throw new StoreError('ERR_KEY_MISSING', 'the key is missing; restore it');
    };
    const { run, bad } = await examine({ openHome });
    expect(run.code).toBe(9);
    expect(bad).toEqual([
      {
        check: 'store and key',
        verdict: 'fail',
        message: 'the key is missing',
        remedy: 'restore it (ERR_KEY_MISSING)',
      },
    ]);
  });

  it('names the option that is wrong in the settings', async () => {
    writeFileSync(path.join(home, 'settings.json'), '{"lastTry":1}', { mode: 0o600 });
    const message = expect.stringContaining('lastTry must be true or false') as string;
    expect(await examine()).toMatchObject({
      run: { code: 2 },
      bad: [{ check: 'settings', message }],
    });
  });

  it('tells of answers that wait to be recorded', async () => {
    mkdirSync(path.join(home, 'spill'));
    writeFileSync(path.join(home, 'spill', 'attempt-1.spill'), '');
    expect((await examine()).bad).toMatchObject([{ check: 'spilled answers', verdict: 'warn' }]);
  });

  it('tells of connections and registrations that need somebody', async () => {
    const keeper = fakeKeeper(
      [
        status({
          name: 'a',
          state: 'attention',
          reason: 'consent withdrawn',
          remedy: 'connect again',
        }),
        status({ name: 'b', lastError: { at: NOW, outcome: 'throttled', message: 'slow down' } }),
        status({ name: 'c' }),
      ],
      {
        clients: [
          clientStatus({ secretExpiresAt: NOW + 5 * 86_400_000 }),
          clientStatus({ clientId: 'client-2', refusedAt: NOW, refusal: 'invalid_client' }),
          clientStatus({ secretExpiresAt: NOW + 90 * 86_400_000 }),
        ],
      },
    );
    const { run, bad } = await examine({ keeper });
    expect(run.code).toBe(0);
    expect(bad.map(({ message }) => message)).toEqual([
      'a: attention, consent withdrawn',
      'b: slow down',
      'the secret of client client-1 ends in 5 days',
      'client client-2 is refused: invalid_client',
    ]);
  });

  it('says of a refused client what must be done, and not that it is tried again', async () => {
    const refused = status({
      name: 'a',
      actor: 'operator',
      reason: 'the secret has expired',
      remedy: 'evergrant client set-secret client-1',
      lastError: { at: NOW, outcome: 'client_refused', message: 'the secret has expired' },
    });
    const { bad } = await examine({ keeper: fakeKeeper([refused]) });
    expect(bad).toEqual([
      {
        check: 'connections',
        verdict: 'warn',
        message: 'a: the server refuses the client: the secret has expired',
        remedy: 'nothing is tried until then: evergrant client set-secret client-1',
      },
    ]);
  });

  it('tells of servers that are left alone, until when and why', async () => {
    const endpoint = (name: string, blockedUntil: number): EndpointState => ({
      ...{ endpoint: `https://${name}/token`, failures: 5, blockedUntil, recent: [] },
      blockedBecause: 'the server asked to wait',
    });
    const all = [endpoint('busy.example', NOW + 120_000), endpoint('b.example', NOW)];
    expect(await examine(storeThat({ endpoints: async () => all }))).toMatchObject({
      run: { code: 0 },
      bad: [
        {
          check: 'token endpoints',
          verdict: 'warn',
          message:
            'https://busy.example/token is asked again in 2 minutes: the server asked to wait',
          remedy: expect.stringContaining('by itself'),
        },
      ],
    });
  });

  it('counts messages whose delivery failed a moment ago', async () => {
    const message = 'sign in again';
    const notice = { id: 1, connection: 'a', kind: 'attention', actor: 'owner', at: NOW } as const;
    const { bad } = await examine(
      storeThat({
        pendingNotices: async (now) => (now >= NOW + 60_000 ? [{ ...notice, message }] : []),
      }),
    );
    expect(bad).toMatchObject([
      { check: 'notices', message: expect.stringContaining(`1, the oldest: ${message}`) },
    ]);
  });

  it('notices a clock that was set back', async () => {
    const { bad } = await examine({
      keeper: fakeKeeper([status({ receivedAt: NOW + 3_600_000 })]),
    });
    expect(bad).toMatchObject([
      { check: 'clock', message: expect.stringContaining('from the future') },
    ]);
  });
});
