import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConfigurationError,
  NotFoundError,
  RefreshBlockedError,
  StoreError,
} from '../../../src/errors.ts';
import { EXIT_CODES, exitCodeOf, exitCodeOfStatus } from '../../../src/cli/exit-codes.ts';
import { interruptOnSignals, Interrupted } from '../../../src/cli/interruption.ts';
import { reportFailure } from '../../../src/cli/output/failure.ts';
import { parseTokenCommand, printToken } from '../../../src/cli/token.ts';
import { EventEmitter } from 'node:events';
import { fakeHome, fakeKeeper, status } from './fake-keeper.ts';
import { collectingSession, runCli } from './run-cli.ts';

describe('exit codes', () => {
  it('follow the class of an error', () => {
    expect(exitCodeOf(new ConfigurationError('ERR_ARGUMENT', ''))).toBe(2);
    expect(exitCodeOf(new NotFoundError('ERR_CLIENT_UNKNOWN', ''))).toBe(3);
    expect(exitCodeOf(new StoreError('ERR_STORE_FULL', ''))).toBe(9);
    expect(exitCodeOf(new RefreshBlockedError('', { holder: '', since: 0 }))).toBe(10);
    expect(exitCodeOf(new TypeError('a defect'))).toBe(1);
    expect(exitCodeOf('thrown string')).toBe(1);
  });

  it('follow the status that an API answered', () => {
    expect([200, 304, 400, 404, 429, 500, 503].map(exitCodeOfStatus)).toEqual([
      0, 0, 5, 5, 7, 7, 7,
    ]);
  });
});

describe('what cannot be understood', () => {
  it.each([
    [['shwo', 'x'], 'did you mean show?'],
    [['token', 'x', '--min-lfe', '5m'], 'did you mean --min-life?'],
    [['token', 'x', '--min-lfe=5m'], 'did you mean --min-life?'],
    [['exec', 'x', '--min-lfe', '5m', '--', 'curl'], 'did you mean --min-life?'],
    [
      ['exec', 'x', 'curl', '--silent'],
      'what is for the program comes after --: evergrant exec NAME -- PROGRAM …',
    ],
    [['token'], 'evergrant token --help shows what it takes'],
    [['token', 'a', 'b'], 'evergrant token --help shows what it takes'],
    [['frobnicate'], 'evergrant --help shows all commands'],
    [['help', 'tokne'], 'did you mean token?'],
    [['--home', '/h', 'help', 'frobnicate'], 'evergrant --help shows all commands'],
    [['client', 'help', 'set-secrte'], 'did you mean set-secret?'],
    [['client', 'help', 'frobnicate'], 'evergrant client --help shows what it takes'],
    [['add', 'x', '--rotation', 'often'], 'evergrant add --help shows what it takes'],
    [['emulator', '--rotation', 'often'], 'evergrant emulator --help shows what it takes'],
  ])('%j exits 2 with one line and a hint', async (argv, hint) => {
    const run = await runCli(argv);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(/^evergrant: .*\nhint: .*\n$/);
    expect(run.stderr).toContain(`hint: ${hint}\n`);
  });

  it('is not repeated where it may be a secret', async () => {
    const run = await runCli(['add', 'x', '--client-secert=hush']);
    expect(run.code).toBe(2);
    expect(run.stderr).not.toContain('hush');
  });

  it('shows the commands when none was given', async () => {
    expect(await runCli([])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Commands:'),
    });
    expect(await runCli(['client'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('set-secret'),
    });
  });

  it('never ends in a stack trace or an unknown exit code, whatever the arguments', async () => {
    const words = fc.constantFrom(
      'token',
      'list',
      'show',
      'refresh',
      'call',
      'client',
      'set-secret',
      'providers',
      'completion',
      'perspio',
      '--json',
      '--min-life',
      '--home',
      '-d',
      '--',
      '-',
      '5m',
      '',
      '\u0000',
      '--due',
      '--help',
      '-V',
      '=',
      '--rotation',
      '\u001b[2J',
      '🙂',
      '--x=y',
    );
    const argument = fc.oneof(words, fc.string({ unit: 'binary', maxLength: 8 }));
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 5 }), async (argv) => {
        // These would wait for a person or another process.
        if (argv.some((word) => /^(exec|emulator|demo|doctor|connect|add|disconnect)$/.test(word)))
          return;
        const { code, stderr } = await runCli(argv, { input: '' });
        expect(EXIT_CODES.has(code)).toBe(true);
        expect(code).not.toBe(1);
        expect(stderr).not.toMatch(/\n {4}at /);
      }),
      { numRuns: 300 },
    );
  });
});

describe('global options', () => {
  it.each([
    [['--home', '/tmp/h', 'list', '--names']],
    [['list', '--home', '/tmp/h', '--names']],
    [['list', '--names', '--home=/tmp/h']],
  ])('%j opens that home', async (argv) => {
    const homes: unknown[] = [];
    await runCli(argv, {
      openHome: async ({ home }) => {
        homes.push(home);
        return fakeHome(fakeKeeper());
      },
    });
    expect(homes).toEqual(['/tmp/h']);
  });

  it.each([
    [['--home', '', 'list'], '--home is empty'],
    [['list', '--home='], '--home is empty'],
    [['doctor', '--home', ''], '--home is empty'],
    [['token', 'perspio', '--key-file', ''], '--key-file is empty'],
  ])('%j: an empty one is refused, lest it lead to another home', async (argv, reason) => {
    const opened: unknown[] = [];
    const run = await runCli(argv, {
      openHome: async ({ home }) => {
        opened.push(home);
        return fakeHome(fakeKeeper());
      },
    });
    expect(run).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(reason) });
    expect(opened).toEqual([]);
  });

  it('print version and help on stdout', async () => {
    expect(await runCli(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n', stderr: '' });
    expect(await runCli(['help', 'token'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Usage: evergrant token'),
    });
    expect(await runCli(['token', '--help'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Example:'),
    });
  });
});

describe('the quick way to a token', () => {
  it('reads what is well formed', () => {
    expect(parseTokenCommand(['--home', '/h', 'token', 'x', '--min-life=5m', '--json'])).toEqual({
      name: 'x',
      options: { home: '/h', minLife: '5m', json: true },
    });
  });

  it.each([
    [['token']],
    [['token', 'a', 'b']],
    [['token', '--help']],
    [['token', 'x', '--jsn']],
    [['show', 'token']],
    [['list']],
    [['token', 'x', '--home']],
  ])('leaves %j to the full command line', (argv) => {
    expect(parseTokenCommand(argv)).toBeUndefined();
  });

  it('agrees with the full command line on everything that it takes', async () => {
    const words = fc.constantFrom(
      'token',
      'perspio',
      '--json',
      '--min-life',
      '5m',
      '--timeout=3s',
      '--home',
      '/h',
      '--',
      '-x',
      '--home=/i',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 6 }), async (argv) => {
        const quick = parseTokenCommand(argv);
        if (quick === undefined) return;
        const opened = (homes: unknown[]): Parameters<typeof runCli>[1] => ({
          openHome: async ({ home }) => {
            homes.push(home);
            return fakeHome(fakeKeeper());
          },
        });
        const fullHomes: unknown[] = [];
        const full = await runCli(argv, opened(fullHomes));
        const quickHomes: unknown[] = [];
        const { session, stdout, stderr } = collectingSession(opened(quickHomes));
        session.globals = quick.options;
        const code = await printToken(session, quick.name, quick.options).then(
          () => session.exitCode,
          (error: unknown) => reportFailure(session, error),
        );
        expect({ code, stdout: stdout(), stderr: stderr() }).toEqual(full);
        expect(quickHomes).toEqual(fullHomes);
      }),
    );
  });
});

describe('a signal', () => {
  it('aborts with the exit code as its reason', () => {
    const source = new EventEmitter();
    const { signal } = interruptOnSignals(source);
    source.emit('SIGTERM', 'SIGTERM');
    source.emit('SIGINT', 'SIGINT');
    expect(signal.reason).toBeInstanceOf(Interrupted);
    expect(exitCodeOf(signal.reason)).toBe(143);
  });

  it('ends a command only when the keeper has closed, and prints no result', async () => {
    const controller = new AbortController();
    const keeper = fakeKeeper([status()], {
      token: async (options) => {
        controller.abort(new Interrupted('SIGINT'));
        options?.signal?.throwIfAborted();
        throw new Error('not aborted');
      },
    });
    const run = await runCli(['token', 'perspio'], { keeper, signal: controller.signal });
    expect(run).toEqual({ code: 130, stdout: '', stderr: '' });
    expect(keeper.calls.at(-1)).toEqual(['close']);
  });
});

describe('an unexpected fault', () => {
  const broken = fakeKeeper([status()], {
    token: async () => {
      throw new TypeError('x is not\na function');
    },
  });

  it('is one line and exit code 1', async () => {
    expect(await runCli(['token', 'perspio'], { keeper: broken })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'evergrant: unexpected fault (TypeError: x is not a function); EVERGRANT_DEBUG=1 shows where\n',
    });
  });

  it('shows its stack on demand', async () => {
    const run = await runCli(['token', 'perspio'], {
      keeper: broken,
      environment: { EVERGRANT_DEBUG: '1' },
    });
    expect(run.stderr).toMatch(/\n {4}at /);
  });
});
