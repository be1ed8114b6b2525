import { expect, it } from 'vitest';
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
