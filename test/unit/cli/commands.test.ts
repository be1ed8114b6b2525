import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { reportFailure } from '../../../src/cli/output/failure.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { AuthorizationRequiredError, ServerUnavailableError } from '../../../src/errors.ts';
import type { Home, Session } from '../../../src/cli/session.ts';
import type { Secret } from '../../../src/secret.ts';
import type { ClientStatus, ConnectionStatus } from '../../../src/keeper-api.ts';
import { clientStatus, fakeHome, fakeKeeper, NOW, status, token } from './fake-keeper.ts';
import { collectingSession, runCli } from './run-cli.ts';

describe('evergrant token', () => {
  it('prints the token and a newline, alone', async () => {
    expect(await runCli(['token', 'perspio'])).toEqual({
      code: 0,
      stdout: 'the-token\n',
      stderr: '',
    });
  });

  it('prints what else is known of the token as JSON', async () => {
    const { stdout } = await runCli(['token', 'perspio', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      accessToken: 'the-token',
      type: 'Bearer',
      scope: ['a', 'b'],
      expiresAt: NOW + 3_600_000,
      generation: 4,
    });
  });

  it('hands its demands to the keeper in milliseconds', async () => {
    const keeper = fakeKeeper();
    await runCli(['token', 'perspio', '--min-life', '5m', '--timeout', '10s'], { keeper });
    expect(keeper.calls[0]?.[2]).toMatchObject({ minLifeMs: 300_000, timeoutMs: 10_000 });
  });

  it('tells warnings and notices on stderr, beside the token', async () => {
    const keeper = fakeKeeper([status()], {
      token: async () => {
        keeper.emit('warning', { connection: 'perspio', message: 'the server is down' });
        keeper.emit('notice', { connection: 'perspio', message: 'sign in again' });
        return token('old');
      },
    });
    const run = await runCli(['token', 'perspio'], { keeper });
    expect(run.stdout).toBe('old\n');
    expect(run.stderr).toBe(
      'evergrant: warning: perspio: the server is down\nevergrant: notice: perspio: sign in again\n',
    );
  });

  it('is there, and standard output at its end, before the keeper has closed', async () => {
    const closing = Promise.withResolvers<undefined>();
    const keeper = { ...fakeKeeper(), close: () => closing.promise };
    const { session, stdout } = collectingSession({ keeper });
    const running = runProgram(['token', 'perspio'], session);
    await once(session.stdout, 'finish');
    expect(stdout()).toBe('the-token\n');
    closing.resolve(undefined);
    await running;
  });

  it('cannot be had: the reason is told before the keeper has closed, and once', async () => {
    const closing = Promise.withResolvers<undefined>();
    const fails = fakeKeeper([status()], {
      token: async () => {
        throw new AuthorizationRequiredError('ERR_GRANT_REFUSED', 'perspio: sign in again');
      },
    });
    const keeper = { ...fails, close: () => closing.promise };
    const { session, stderr } = collectingSession({ keeper });
    const running = runProgram(['token', 'perspio'], session).catch((error: unknown) =>
      reportFailure(session, error),
    );
    await once(session.stdout, 'finish');
    await vi.waitFor(() => expect(stderr()).toBe('evergrant: perspio: sign in again\n'), 30_000);
    // A notice of the same reason is delivered while the keeper closes.
    fails.emit('notice', { connection: 'perspio', message: 'sign in again' });
    closing.resolve(undefined);
    expect(await running).toBe(4);
    expect(stderr()).toBe('evergrant: perspio: sign in again\n');
  });

  it('closes the keeper when a token cannot be had', async () => {
    const keeper = fakeKeeper([status()], {
      token: async () => {
        throw new AuthorizationRequiredError('ERR_GRANT_REFUSED', 'sign in again');
      },
    });
    const run = await runCli(['token', 'perspio'], { keeper });
    expect(run).toEqual({ code: 4, stdout: '', stderr: 'evergrant: sign in again\n' });
    expect(keeper.calls.at(-1)).toEqual(['close']);
  });

  it('suggests the connection that was meant', async () => {
    const run = await runCli(['token', 'perspoi']);
    expect(run.code).toBe(3);
    expect(run.stderr).toMatch(/\nhint: did you mean perspio\?\n$/);
  });

  it('says how to begin when there is no connection at all', async () => {
    const run = await runCli(['token', 'perspio'], { keeper: fakeKeeper([]) });
    expect(run.stderr).toMatch(/hint: there is no connection yet; begin with evergrant connect\n$/);
  });
});

describe('evergrant list', () => {
  const failing = { at: NOW - 60_000, outcome: 'throttled', message: 'slow down' };
  const connections = [
    status({ name: 'fine' }),
    status({ name: 'stopped', state: 'paused' }),
    status({ name: 'failing', lastError: failing }),
    status({ name: 'lost', state: 'uncertain' }),
    status({ name: 'dead', state: 'attention', actor: 'owner' }),
  ];

  it('puts those first on which somebody must act', async () => {
    const { stdout } = await runCli(['list', '--json'], { keeper: fakeKeeper(connections) });
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['dead', 'lost', 'failing', 'fine', 'stopped']);
  });

  it('counts those whose client is refused among them, though they are active', async () => {
    const refused = status({ name: 'refused', actor: 'operator', reason: 'the secret expired' });
    const keeper = fakeKeeper([...connections, refused]);
    const { stdout } = await runCli(['list', '--json'], { keeper });
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['dead', 'refused', 'lost', 'failing', 'fine', 'stopped']);
  });

  it('prints a table without colours where nobody asked for them', async () => {
    const { stdout } = await runCli(['list'], { keeper: fakeKeeper(connections) });
    expect(stdout.split('\n')).toHaveLength(10);
    expect(stdout).toContain(
      '│ dead    │ perspio  │ demo@perspio.io │ attention │ fresh │ in 50 minutes │',
    );
    expect(stdout).not.toContain('\u001b');
  });

  it('shows accounts by their names, and by their ids too where two are called the same', async () => {
    const named = [
      status({ name: 'one', account: 'a@example.com', accountId: 'id-a' }),
      status({ name: 'again', account: 'a@example.com', accountId: 'id-a' }),
      status({ name: 'import', account: undefined, accountId: undefined }),
    ];
    const rows = async (all: readonly ConnectionStatus[]): Promise<string> =>
      (await runCli(['list'], { keeper: fakeKeeper(all) })).stdout;
    expect(await rows(named)).toMatch(/│ one +│ perspio +│ a@example\.com │/);
    expect(await rows(named)).toMatch(/│ import +│ perspio +│ - +│/);
    const alike = status({ name: 'two', account: 'a@example.com', accountId: 'id-b' });
    const told = await rows([...named, alike]);
    expect(told).toMatch(/│ one +│ perspio +│ a@example\.com \(id-a\) │/);
    expect(told).toMatch(/│ two +│ perspio +│ a@example\.com \(id-b\) │/);
    expect(await rows([status({ account: undefined, accountId: undefined })])).not.toContain(
      'account',
    );
  });

  it('prints names alone, one a line', async () => {
    const { stdout } = await runCli(['list', '--names'], { keeper: fakeKeeper(connections) });
    expect(stdout).toBe('fine\nstopped\nfailing\nlost\ndead\n');
  });

  it('leaves stdout empty when there are none', async () => {
    const run = await runCli(['list'], { keeper: fakeKeeper([]) });
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect((await runCli(['list', '--json'], { keeper: fakeKeeper([]) })).stdout).toBe('[]\n');
  });
});

describe('evergrant show', () => {
  it('holds every member as JSON, null where nothing is known', async () => {
    const { stdout } = await runCli(['show', 'perspio', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'perspio',
      provider: 'perspio',
      state: 'active',
      generation: 4,
      accessExpiresAt: NOW + 3_000_000,
      nextRefreshAt: NOW + 1_800_000,
      lastError: null,
    });
  });

  it('tells people relative times', async () => {
    const { stdout } = await runCli(['show', 'perspio']);
    expect(stdout).toMatch(/^access token {4}fresh, expires in 50 minutes$/m);
    expect(stdout).toMatch(/^connected {7}3 days ago by authorization code$/m);
  });

  it('calls a refresh due, rather than past', async () => {
    const keeper = fakeKeeper([status({ nextRefreshAt: NOW - 60_000 })]);
    expect((await runCli(['show', 'perspio'], { keeper })).stdout).toMatch(/^next refresh +due$/m);
    expect((await runCli(['list'], { keeper })).stdout).toMatch(/│ due +│ - +│$/m);
  });
});

describe('evergrant explain', () => {
  it('tells cause, confidence, fix and life', async () => {
    const keeper = fakeKeeper([status()], {
      explain: async () => ({
        status: status({ state: 'attention', actor: 'operator', since: NOW - 7_200_000 }),
        cause: 'the secret expired',
        confidence: 'likely',
        fix: 'the operator makes a new one',
        life: [
          {
            at: NOW - 7_200_000,
            event: 'refresh_failed',
            grantId: 'g',
            generation: 4,
            by: 'host pid 1',
            fingerprint: 'abcd',
            detail: undefined,
          },
        ],
      }),
    });
    expect((await runCli(['explain', 'perspio'], { keeper })).stdout.split('\n')).toEqual([
      'perspio: attention, 2 hours ago',
      'account: demo@perspio.io',
      'cause (likely): the secret expired',
      'who must act: operator',
      'fix: the operator makes a new one',
      'life, newest first:',
      '  2026-05-31T22:00:00.000Z  refresh failed (generation 4, refresh token abcd, by host pid 1)',
      '',
    ]);
  });
});

describe('evergrant refresh', () => {
  it('makes one refresh and tells its result', async () => {
    const run = await runCli(['refresh', 'perspio']);
    expect(run.stdout).toBe('perspio: refreshed, generation 5, expires in 50 minutes\n');
  });

  it('insists only when told to', async () => {
    const keeper = fakeKeeper();
    await runCli(['refresh', 'perspio'], { keeper });
    await runCli(['refresh', 'perspio', '--anyway'], { keeper });
    const demands = keeper.calls
      .filter(([method]) => method === 'refresh')
      .map(([, , options]) => options);
    expect(demands).toMatchObject([{ anyway: false }, { anyway: true }]);
  });

  it('exits with the code of the first failure among those that are due', async () => {
    const error = new ServerUnavailableError('ERR_SERVER_UNREACHABLE', 'no route');
    const keeper = {
      ...fakeKeeper(),
      refreshDue: async () => [
        { connection: 'one', error: undefined },
        { connection: 'two', error },
      ],
    };
    const run = await runCli(['refresh', '--due'], { keeper });
    expect(run).toEqual({
      code: 7,
      stdout: 'one: refreshed\n',
      stderr: 'evergrant: two: no route\n',
    });
  });

  it('names a connection once, though its error names it too', async () => {
    const error = new ServerUnavailableError('ERR_SERVER_UNREACHABLE', 'two: no route');
    const keeper = { ...fakeKeeper(), refreshDue: async () => [{ connection: 'two', error }] };
    const { stderr } = await runCli(['refresh', '--due'], { keeper });
    expect(stderr).toBe('evergrant: two: no route\n');
  });

  it('says once what is both a notice and the reason why it fails', async () => {
    const keeper = fakeKeeper([status()], {
      refresh: async () => {
        keeper.emit('notice', { connection: 'perspio', message: 'revoked. Sign in again.' });
        keeper.emit('notice', { connection: 'other', message: 'revoked. Sign in again.' });
        throw new AuthorizationRequiredError(
          'ERR_GRANT_REFUSED',
          'perspio: revoked. Sign in again.',
        );
      },
    });
    const { stderr } = await runCli(['refresh', 'perspio'], { keeper });
    expect(stderr.match(/perspio: revoked/g)).toHaveLength(1);
    expect(stderr).toContain('evergrant: notice: other: revoked. Sign in again.\n');
  });

  it('takes either a name or --due', async () => {
    expect((await runCli(['refresh'])).code).toBe(2);
    expect((await runCli(['refresh', 'perspio', '--due'])).code).toBe(2);
    expect((await runCli(['refresh', '--due', '--anyway'])).code).toBe(2);
  });
});

describe('commands that change a connection', () => {
  it('call the keeper and leave stdout to results', async () => {
    const keeper = fakeKeeper();
    for (const argv of [
      ['pause', 'perspio'],
      ['resume', 'perspio'],
      ['rename', 'perspio', 'other'],
    ]) {
      expect(await runCli(argv, { keeper })).toMatchObject({ code: 0, stdout: '' });
    }
    expect(keeper.calls.filter(([method]) => method !== 'close')).toEqual([
      ['pause', 'perspio'],
      ['resume', 'perspio'],
      ['rename', 'perspio', 'other'],
    ]);
  });

  it('disconnect without a question where nobody can answer one', async () => {
    const run = await runCli(['disconnect', 'perspio']);
    expect(run).toMatchObject({
      code: 0,
      stdout: 'perspio: revoked and forgotten\n',
      stderr: '',
    });
  });

  it('disconnect anyway where that is said, and only there', async () => {
    const keeper = fakeKeeper([status()]);
    await runCli(['disconnect', 'perspio'], { keeper });
    await runCli(['disconnect', 'perspio', '--anyway'], { keeper });
    const asked = keeper.calls.filter(([method]) => method === 'disconnect');
    expect(asked.map(([, , options]) => options)).toEqual([{ anyway: false }, { anyway: true }]);
  });

  it('disconnect says by its exit code that it is not done yet', async () => {
    const message = 'it is stopped, but not yet revoked';
    const keeper = fakeKeeper([status()], {
      disconnect: async () => ({ revoked: false, removed: false, message }),
    });
    expect(await runCli(['disconnect', 'perspio'], { keeper })).toMatchObject({
      code: 7,
      stdout: `perspio: ${message}\n`,
    });
    expect(await runCli(['disconnect', 'perspio', '--json'], { keeper })).toMatchObject({
      code: 7,
      stdout: expect.stringContaining('"removed":false'),
    });
  });

  it('disconnect the last of a registration, and say how that is forgotten', async () => {
    const keeper = fakeKeeper([status()], { clients: [clientStatus({ connections: 0 })] });
    const run = await runCli(['disconnect', 'perspio', '--json'], { keeper });
    expect(JSON.parse(run.stdout)).toMatchObject({ revoked: true });
    expect(run.stderr).toContain('evergrant client remove client-1 forgets it');
  });
});

describe('evergrant client', () => {
  it('shows what sets registrations apart that are alike else', async () => {
    const twin = (id: string, overrides: ClientStatus['overrides'] = {}): ClientStatus =>
      clientStatus({ id, overrides: { issuer: 'https://login.example', ...overrides } });
    const clients = [
      twin('aaaaaaaa-1'),
      twin('bbbbbbbb-1', { idleLimitMs: 30 * 86_400_000, insecureLoopback: true }),
      twin('cccccccc-1', { idleLimitMs: 90_000, 'tokenParameters.resource': '…' }),
      twin('dddddddd-1', { idleLimitMs: 90_000, 'tokenParameters.resource': '…' }),
      clientStatus({ clientId: 'lone' }),
    ];
    const { stdout } = await runCli(['client', 'list'], { keeper: fakeKeeper([], { clients }) });
    const cells = stdout.split('\n').map((line) => line.split('│')[4]?.trim());
    expect(cells).toContain('differs by');
    expect(cells).toContain('id aaaaaaaa');
    expect(cells).toContain('--idle-limit 30d, --insecure-loopback');
    expect(cells).toContain('--idle-limit 90s, tokenParameters.resource …, id cccccccc');
    expect(cells).toContain('--idle-limit 90s, tokenParameters.resource …, id dddddddd');
    expect(cells).toContain('-');
    expect(stdout).not.toContain('--issuer');
    const lone = fakeKeeper([], { clients: [clientStatus()] });
    expect((await runCli(['client', 'list'], { keeper: lone })).stdout).not.toContain('differs by');
  });

  it('lists registrations without a secret', async () => {
    const keeper = fakeKeeper([], {
      clients: [clientStatus({ refusedAt: NOW - 3 * 60_000, refusal: 'invalid_client' })],
    });
    const { stdout } = await runCli(['client', 'list'], { keeper });
    expect(stdout).toContain('3 minutes ago: invalid_client');
  });

  it('replaces a secret that comes by standard input', async () => {
    const keeper = fakeKeeper();
    const run = await runCli(['client', 'set-secret', 'client-1', '--client-secret-stdin'], {
      keeper,
      input: 'new secret\n',
    });
    expect(run).toMatchObject({ code: 0, stdout: '' });
    const [, , secret] = keeper.calls[0] ?? [];
    expect((secret as { reveal(): string }).reveal()).toBe('new secret');
    expect(run.stderr).not.toContain('new secret');
  });

  it('marks those that no connection uses, and removes them', async () => {
    const keeper = fakeKeeper([], { clients: [clientStatus({ connections: 0 })] });
    expect((await runCli(['client', 'list'], { keeper })).stdout).toContain('│ 0, unused');
    const endpoint = 'https://login.example/token';
    const run = await runCli(['client', 'remove', 'client-1', '--token-endpoint', endpoint], {
      keeper,
    });
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(keeper.calls).toContainEqual(['removeClient', 'client-1', { tokenEndpoint: endpoint }]);
    const wrong = await runCli(['client', 'remove', 'cleint-1'], { keeper });
    expect(wrong).toMatchObject({ code: 3, stdout: '' });
    expect(wrong.stderr).toContain('hint: did you mean client-1?');
  });

  it.each([
    ['is unknown', 'cleint-1', 3, 'hint: did you mean client-1?'],
    ['is one of several', 'client-1', 2, 'exists at https://a.example and https://b.example'],
  ])('asks for no secret of a client that %s', async (_what, clientId, code, told) => {
    const keeper = fakeKeeper([], {
      clients: ['https://a.example', 'https://b.example'].map((tokenEndpoint) =>
        clientStatus({ tokenEndpoint }),
      ),
    });
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
    const run = await runCli(['client', 'set-secret', clientId], {
      keeper,
      stdin: stdin as unknown as Session['stdin'],
    });
    expect(run).toMatchObject({ code, stdout: '' });
    expect(run.stderr).toContain(told);
    expect(run.stderr).not.toContain('client secret');
    expect(keeper.calls).toEqual([['close']]);
  });

  it('asks for the secret of one that is known', async () => {
    const keeper = fakeKeeper();
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
    setTimeout(() => stdin.write('hush\r'), 100);
    const run = await runCli(['client', 'set-secret', 'client-1'], {
      keeper,
      stdin: stdin as unknown as Session['stdin'],
    });
    expect(run).toMatchObject({ code: 0, stdout: '' });
    const [, , secret] = keeper.calls[0] ?? [];
    expect((secret as { reveal(): string }).reveal()).toBe('hush');
  });

  it('suggests the registration that was meant', async () => {
    const run = await runCli(['client', 'set-secret', 'cleint-1', '--client-secret-stdin'], {
      input: 's',
    });
    expect(run).toMatchObject({ code: 3, stdout: '' });
    expect(run.stderr).toContain('hint: did you mean client-1?');
  });
});

describe('evergrant providers', () => {
  it('lists the profiles', async () => {
    const { stdout } = await runCli(['providers', '--names']);
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['perspio', 'entra', 'generic']));
  });

  it('shows one', async () => {
    expect((await runCli(['providers', 'perspio'])).stdout).toContain('rotation');
    expect((await runCli(['providers', 'persipo'])).stderr).toContain(
      'hint: did you mean perspio?',
    );
  });
});

describe('evergrant key', () => {
  it('tells where the master key is and how old the data keys are', async () => {
    const { stdout } = await runCli(['key', 'status']);
    expect(stdout).toBe(
      'master key  file /home/of/tests/key/master.key\ndata key    0123456789abcdef, made 2 days ago, in use\n',
    );
    expect(JSON.parse((await runCli(['key', 'status', '--json'])).stdout)).toMatchObject({
      masterKey: 'file',
      file: '/home/of/tests/key/master.key',
      dataKeys: [{ retiredAt: null }],
    });
  });

  it('tells how much was sealed anew', async () => {
    const run = await runCli(['key', 'rotate']);
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(run.stderr).toBe('connections sealed anew under a new data key: 3\n');
  });
});

describe('evergrant backup', () => {
  it('says that the key is not in it', async () => {
    const targets: string[] = [];
    const openHome = async (): Promise<Home> =>
      fakeHome(fakeKeeper(), {
        backup: async (target) => {
          targets.push(target);
        },
      });
    const run = await runCli(['backup', '/mnt/copy.db'], { openHome });
    expect(targets).toEqual(['/mnt/copy.db']);
    expect(run.stderr).toBe(
      '/mnt/copy.db: written; the key in /home/of/tests/key/master.key opens it and is not in it, keep a copy apart\n',
    );
  });
});

describe('the master key', () => {
  async function keyOf(
    argv: readonly string[],
    changes: Parameters<typeof runCli>[1] = {},
  ): Promise<unknown> {
    let given: unknown = 'not opened';
    const run = await runCli([...argv, 'list', '--names'], {
      ...changes,
      openHome: async ({ key }) => {
        given = key;
        return fakeHome(fakeKeeper());
      },
    });
    return run.code === 0 ? given : run.stderr;
  }

  it('is the usual file unless options or environment say otherwise', async () => {
    expect(await keyOf([])).toBeUndefined();
    expect(await keyOf(['--key-file', '/k'])).toEqual({ file: '/k' });
    expect(await keyOf(['--keychain'])).toEqual({ keychain: true });
    expect(await keyOf([], { environment: { EVERGRANT_KEY_FILE: '/k' } })).toEqual({ file: '/k' });
    expect(await keyOf([], { environment: { EVERGRANT_KEYCHAIN: '1' } })).toEqual({
      keychain: true,
    });
    const both = { environment: { EVERGRANT_KEY_FILE: '/other' } };
    expect(await keyOf(['--key-file', '/k'], both)).toEqual({ file: '/k' });
  });

  it('is a passphrase that comes as secrets do', async () => {
    const key = await keyOf(['--passphrase-stdin'], { input: 'correct horse\n' });
    expect((key as { passphrase: Secret }).passphrase.reveal()).toBe('correct horse');
    expect(await keyOf(['--passphrase-file', '/no/such/file'])).toContain(
      'cannot be read (ENOENT)',
    );
  });

  it('cannot be asked for without a terminal, nor given twice', async () => {
    expect(await keyOf(['--ask-passphrase'])).toContain('no terminal to ask for the passphrase');
    expect(await keyOf(['--keychain', '--key-file', '/k'])).toContain('in one way only');
  });
});
