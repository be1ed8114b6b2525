import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runProgram } from '../../../src/cli/program.ts';
import { fakeKeeper, status } from './fake-keeper.ts';
import { collectingSession, runCli } from './run-cli.ts';

function api(answer: () => Response): ReturnType<typeof fakeKeeper> {
  return fakeKeeper([status()], { fetch: async () => answer() });
}

it('prints the body of the answer and nothing else', async () => {
  const run = await runCli(['call', 'perspio', '/assets']);
  expect(run).toEqual({ code: 0, stdout: '{"ok":true}', stderr: '' });
});

it('prints status and headers first when asked', async () => {
  const { stdout } = await runCli(['call', 'perspio', '-i', '/assets']);
  expect(stdout).toBe('HTTP 200\ncontent-type: text/plain;charset=UTF-8\nx-one: 1\n\n{"ok":true}');
});

it.each(['GET', 'POST', 'DELETE'])('sends nothing when %s comes alone', async (method) => {
  const keeper = fakeKeeper();
  const run = await runCli(['call', 'perspio', method], { keeper });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toBe(`evergrant: call ${method} names no URL; it comes after the method\n`);
  expect(keeper.calls).toEqual([]);
});

it('sends method, headers and body as given', async () => {
  const keeper = fakeKeeper();
  await runCli(
    [
      'call',
      'perspio',
      'put',
      'https://talk.example/a',
      '-H',
      'accept: text/plain',
      '-H',
      'x-a:b',
      '-d',
      'body',
    ],
    { keeper },
  );
  expect(keeper.calls[0]?.slice(0, 3)).toEqual(['fetch', 'perspio', 'https://talk.example/a']);
  expect(keeper.calls[0]?.[3]).toMatchObject({
    method: 'PUT',
    headers: [
      ['accept', 'text/plain'],
      ['x-a', 'b'],
    ],
    body: 'body',
  });
});

it('posts when there is a body, which may come from standard input', async () => {
  const keeper = fakeKeeper();
  await runCli(['call', 'perspio', '/a', '-d', '@-'], { keeper, input: '{"a":1}\n' });
  expect(keeper.calls[0]?.[3]).toMatchObject({
    method: 'POST',
    body: new TextEncoder().encode('{"a":1}\n'),
  });
});

it.each([
  [404, 5],
  [429, 7],
  [503, 7],
])('prints the body of a %d and exits with %d', async (code, exit) => {
  const keeper = api(() => new Response('sorry', { status: code, statusText: 'No' }));
  const run = await runCli(['call', 'perspio', '/a'], { keeper });
  expect(run).toEqual({
    code: exit,
    stdout: 'sorry',
    stderr: `evergrant: the API answered ${String(code)} No\n`,
  });
});

it('passes bytes through unchanged, both ways', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const keeper = api(() => new Response(bytes));
  const file = path.join(tmpdir(), `evergrant-call-${String(process.pid)}`);
  writeFileSync(file, bytes);
  const { session, stdoutBytes } = collectingSession({ keeper });
  await runProgram(['call', 'perspio', '/a', '-d', `@${file}`], session);
  rmSync(file);
  expect(keeper.calls[0]?.[3]).toMatchObject({ body: bytes });
  expect(Uint8Array.from(stdoutBytes())).toEqual(bytes);
});

it('prints nothing where the answer has no body', async () => {
  const keeper = api(() => new Response(null, { status: 204 }));
  expect(await runCli(['call', 'perspio', '/a'], { keeper })).toMatchObject({
    code: 0,
    stdout: '',
  });
});

it('refuses a header that is none and a body that cannot be read', async () => {
  expect((await runCli(['call', 'perspio', '/a', '-H', 'nonsense'])).code).toBe(2);
  expect((await runCli(['call', 'perspio', '/a', '-d', '@/no/such/file'])).stderr).toContain(
    'cannot be read (ENOENT)',
  );
  expect((await runCli(['call', 'perspio', 'https://a.example/', 'GET'])).code).toBe(2);
});

it.each([
  [['GET', '/a', '-d', 'y'], '--data does not go with GET; leave it out, or choose POST'],
  [['head', '/a', '-d', 'y'], '--data does not go with HEAD; leave it out, or choose POST'],
  [['TRACE', '/a'], 'call cannot send TRACE; choose another method'],
  [['connect', '/a'], 'call cannot send CONNECT; choose another method'],
  [
    ['/a', '-H', 'x: €'],
    '--header x: its value holds a character that a header field cannot carry',
  ],
  [
    ['/a', '-H', 'Transfer-Encoding: chunked'],
    '--header Transfer-Encoding is not taken: evergrant sets it as the call needs it',
  ],
  [
    ['/a', '-H', 'expect: 100-continue'],
    '--header expect is not taken: evergrant sets it as the call needs it',
  ],
])('names what cannot be sent in %j, and sends nothing', async (given, message) => {
  const keeper = fakeKeeper();
  const run = await runCli(['call', 'perspio', ...given], { keeper });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr.split('\n')[0]).toBe(`evergrant: ${message}`);
  expect(keeper.calls).toEqual([]);
});
