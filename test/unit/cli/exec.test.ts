import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../../src/cli/interruption.ts';
import { StoreError } from '../../../src/errors.ts';
import { fakeKeeper } from './fake-keeper.ts';
import { runCli } from './run-cli.ts';

it('says that there is no such program, and exits with 127', async () => {
  const run = await runCli(['exec', 'perspio', '--', '/no/such/program']);
  expect(run).toEqual({
    code: 127,
    stdout: '',
    stderr: 'evergrant: /no/such/program cannot be run: there is no such program\n',
  });
});

it('says that a program cannot be run, whatever the reason is, and exits with 126', async () => {
  const run = await runCli(['exec', 'perspio', '--', 'true', 'an argument with a NUL \0']);
  expect(run.code).toBe(126);
  expect(run.stderr).toMatch(/^evergrant: true cannot be run: ERR_INVALID_ARG_VALUE\n$/);
});

it.each(['PATH', 'HOME', 'LD_PRELOAD', 'LC_ALL', 'DYLD_INSERT_LIBRARIES', 'NODE_OPTIONS'])(
  'puts no token into %s, on which the program depends',
  async (variable) => {
    const keeper = fakeKeeper();
    const run = await runCli(['exec', 'perspio', '--env', variable, '--', 'true'], { keeper });
    expect(run).toEqual({
      code: 2,
      stdout: '',
      stderr: `evergrant: --env ${variable} would take from the program what the system keeps in ${variable}; choose a variable of its own, such as ACCESS_TOKEN\n`,
    });
    expect(keeper.calls).toEqual([]);
  },
);

describe('when the store fails while the program runs', () => {
  const failing = (): ReturnType<typeof fakeKeeper> => ({
    ...fakeKeeper(),
    close: async () => {
      throw new StoreError('ERR_STORE_FULL', 'the disk is full; make room');
    },
  });

  it('the code of the program that failed is handed on, and what failed told', async () => {
    const argv = ['exec', 'perspio', '--', 'sh', '-c', 'exit 7'];
    const run = await runCli(argv, { keeper: failing() });
    expect(run).toEqual({
      code: 7,
      stdout: '',
      stderr: 'evergrant: the disk is full; make room\n',
    });
  });

  it('a program that ended well does not hide it', async () => {
    const run = await runCli(['exec', 'perspio', '--', 'true'], { keeper: failing() });
    expect(run).toEqual({
      code: 9,
      stdout: '',
      stderr: 'evergrant: the disk is full; make room\n',
    });
  });
});

it('leaves to the program how a signal ends it, though it came before the home was closed', async () => {
  const controller = new AbortController();
  const keeper = {
    ...fakeKeeper(),
    close: async () => controller.abort(new Interrupted('SIGTERM')),
  };
  const run = await runCli(['exec', 'perspio', '--', 'true'], {
    keeper,
    signal: controller.signal,
  });
  expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
});
