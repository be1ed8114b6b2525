import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AddOptions, ConnectOptions } from '../../../src/keeper-api.ts';
import { Secret } from '../../../src/secret.ts';
import { fakeKeeper, NOW } from './fake-keeper.ts';
import { runCli, type Run } from './run-cli.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-cli-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Buffer, mode = 0o600): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, content);
  await chmod(target, mode);
  return target;
}

function reveal(secret: unknown): string {
  return secret instanceof Secret ? secret.reveal() : 'no Secret';
}

async function begin(
  argv: readonly string[],
  input?: string,
): Promise<{ readonly run: Run; readonly options: AddOptions & ConnectOptions }> {
  const keeper = fakeKeeper();
  const run = await runCli(argv, { keeper, ...(input !== undefined && { input }) });
  return { run, options: keeper.calls[0]?.[2] as AddOptions & ConnectOptions };
}

describe('evergrant add', () => {
  const generic = [
    '--provider',
    'generic',
    '--token-endpoint',
    'https://as.example/token',
    '--client-id',
    'ci',
  ];

  it('takes tokens and secrets from files, without the newline at their end', async () => {
    const rt = await file('rt', 'refresh-token-1\r\n');
    const secret = await file('secret', ' secret~+1 \n');
    const { run, options } = await begin([
      'add',
      'one',
      ...generic,
      '--client-secret-file',
      secret,
      '--refresh-token-file',
      rt,
      '--scope',
      'a b',
      '--rotation',
      'grace',
      '--grace',
      '30s',
      '--insecure-loopback',
    ]);
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(reveal(options.tokens.refreshToken)).toBe('refresh-token-1');
    expect(reveal(options.client.clientSecret)).toBe(' secret~+1 ');
    expect(options).toMatchObject({
      provider: 'generic',
      client: { clientId: 'ci' },
      scope: 'a b',
      replace: false,
      overrides: {
        tokenEndpoint: 'https://as.example/token',
        rotation: 'grace',
        graceMs: 30_000,
        insecureLoopback: true,
      },
    });
  });

  it('takes a secret from a file as editors write it, and none that is no UTF-8', async () => {
    const marked = await file('marked', '\uFEFFrt-\u00fc\n');
    const taken = await begin(['add', 'one', ...generic, '--refresh-token-file', marked]);
    expect(reveal(taken.options.tokens.refreshToken)).toBe('rt-\u00fc');
    const latin = await file('latin', Buffer.from('rt-\u00fc', 'latin1'));
    const refused = await runCli(['add', 'one', ...generic, '--refresh-token-file', latin]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `${latin} is no UTF-8 text; it must hold the secret and nothing else`,
      ),
    });
  });

  it('takes a secret from standard input, by either option', async () => {
    for (const way of [['--refresh-token-stdin'], ['--refresh-token-file', '-']]) {
      const { options } = await begin(['add', 'one', ...generic, ...way], 'rt-2\n');
      expect(reveal(options.tokens.refreshToken)).toBe('rt-2');
      expect(options.client).toEqual({ clientId: 'ci' });
    }
  });

  it('reads standard input once only', async () => {
    const { run } = await begin(
      ['add', 'one', ...generic, '--refresh-token-stdin', '--client-secret-stdin'],
      'x\n',
    );
    expect(run.code).toBe(2);
    expect(run.stderr).toBe(
      'evergrant: standard input cannot give both the client secret and the refresh token; put one into a file\n',
    );
  });

  it('warns of a file that others may read', async () => {
    const { run } = await begin([
      'add',
      'one',
      ...generic,
      '--public-client',
      '--refresh-token-file',
      await file('loose', 'rt', 0o644),
    ]);
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(
      /^evergrant: warning: other users may read .*loose; chmod 600 closes it\n/,
    );
  });

  it.each([
    ['an empty file', '', /is empty/],
    ['a file of several lines', 'one\ntwo\n', /several lines/],
    ['a file of white space', ' \n', /is empty/],
  ])('refuses %s without repeating what it holds', async (_, content, message) => {
    const { run } = await begin([
      'add',
      'one',
      ...generic,
      '--refresh-token-file',
      await file('odd', content),
    ]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toContain('two');
  });

  it('names a file that is not there, a folder and a closed descriptor', async () => {
    const missing = await begin([
      'add',
      'one',
      ...generic,
      '--refresh-token-file',
      path.join(folder, 'none'),
    ]);
    expect(missing.run).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be read (ENOENT)'),
    });
    const isFolder = await begin(['add', 'one', ...generic, '--refresh-token-file', folder]);
    expect(isFolder.run).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be read (EISDIR)'),
    });
    const closed = await begin(['add', 'one', ...generic, '--refresh-token-fd', '999999']);
    expect(closed.run).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'file descriptor 999999 cannot be read (EBADF); open it for evergrant, as in 999999< FILE',
      ),
    });
  });

  it('says how to hand a refresh token in when there is nobody to ask', async () => {
    const { run } = await begin(['add', 'one', ...generic, '--public-client']);
    expect(run.code).toBe(2);
    expect(run.stderr).toBe(
      'evergrant: no refresh token, and no terminal to ask for it; give one of --refresh-token-file FILE, --refresh-token-fd N, --refresh-token-stdin\n',
    );
  });

  it('wants a grace with the rotation that has one', async () => {
    const { run } = await begin(['add', 'one', ...generic, '--public-client', '--grace', '30s']);
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('--rotation grace') });
  });

  it('wants an access token and its expiry together', async () => {
    const at = await file('at', 'at-1');
    const rt = await file('rt', 'rt-1');
    const base = ['add', 'one', ...generic, '--refresh-token-file', rt, '--access-token-file', at];
    expect((await begin(base)).run.code).toBe(2);
    const { options } = await begin([...base, '--access-token-expires', '40m']);
    expect(options.tokens.accessExpiresAt).toBe(NOW + 2_400_000);
  });
});

describe('a client secret that nothing gives', () => {
  const generic = ['--provider', 'generic', '--client-id', 'ci'];
  const warning =
    'evergrant: warning: no client secret is given, so the client is taken for a public one; --public-client says so\n';

  it.each([
    [[], warning],
    [['--public-client'], ''],
    [['--client-auth', 'none'], ''],
  ])('is warned of where nobody can be asked, unless there is none: %j', async (more, told) => {
    const { run, options } = await begin(['connect', 'one', ...generic, '--no-browser', ...more]);
    expect(options.client.clientSecret).toBeUndefined();
    expect(run.stderr.startsWith(told === '' ? 'one: ' : told)).toBe(true);
    expect(run.code).toBe(0);
  });
});

describe('evergrant connect', () => {
  it.each([
    ['one', '--provider is missing'],
    ['perspio', '--client-id is missing'],
  ])('tells whoever gives nothing but the name %s how to renew', async (name, message) => {
    const { run } = await begin(['connect', name, '--no-browser']);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stderr).toContain(
      `hint: a connection that exists is renewed by: evergrant connect ${name} --reconnect`,
    );
  });

  it('takes the provider that is called like the connection', async () => {
    const { run, options } = await begin(['connect', 'perspio', '--client-id', 'app']);
    expect(run.code).toBe(0);
    expect(options).toMatchObject({ provider: 'perspio', grant: 'code', reconnect: false });
  });

  it('names the providers when none is given', async () => {
    const { run } = await begin(['connect', 'mine', '--client-id', 'app']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/^evergrant: --provider is missing; known are perspio, /);
  });

  it('suggests the provider that was meant', async () => {
    const { run } = await begin(['connect', 'mine', '--provider', 'persipo', '--client-id', 'app']);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('hint: did you mean perspio?');
  });

  it('hands over the settings of Perspio', async () => {
    const key = await file('key', 'subscription-key-1\n');
    const { options } = await begin([
      'connect',
      'perspio',
      '--client-id',
      'app',
      '--subscription-key-file',
      key,
      '--perspio-tenant',
      'acme',
      '--grant',
      'device',
      '--client-secret-expires',
      '2027-01-31',
    ]);
    expect(reveal(options.subscriptionKey)).toBe('subscription-key-1');
    expect(options).toMatchObject({
      perspioTenantId: 'acme',
      grant: 'device',
      client: { clientSecretExpiresAt: Date.UTC(2027, 0, 31) },
    });
  });

  it('shows the device code and its address on stderr', async () => {
    const keeper = fakeKeeper();
    keeper.connect = async (_, { prompt }) => {
      await prompt?.deviceCode?.({
        userCode: 'ABCD-EFGH',
        verificationUri: 'https://as.example/device',
        verificationUriComplete: undefined,
        expiresAt: NOW + 900_000,
      });
      return keeper.connection('perspio');
    };
    const run = await runCli(['connect', 'perspio', '--client-id', 'app', '--grant', 'device'], {
      keeper,
    });
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(run.stderr).toContain('  https://as.example/device\n');
    expect(run.stderr).toContain('  ABCD-EFGH\n');
    expect(run.stderr).toContain('the code ends in 15 minutes');
  });

  it('prints the address and takes the pasted redirect without a browser', async () => {
    const keeper = fakeKeeper();
    let pasted: string | undefined;
    keeper.connect = async (_, { prompt }) => {
      await prompt?.authorize({
        url: 'https://as.example/authorize?x=1',
        redirectUri: 'http://127.0.0.1:1/',
      });
      pasted = await prompt?.pastedRedirect?.(new AbortController().signal);
      return keeper.connection('perspio');
    };
    const run = await runCli(['connect', 'perspio', '--client-id', 'app', '--no-browser'], {
      keeper,
      input: '\n  http://127.0.0.1:1/?code=abc  \n',
    });
    expect(run.stderr).toContain('\n  https://as.example/authorize?x=1\n');
    expect(pasted).toBe('http://127.0.0.1:1/?code=abc');
    expect(run.stderr).not.toContain('code=abc');
  });
});
