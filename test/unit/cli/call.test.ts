import { expect, it } from 'vitest';
import { fakeKeeper, status } from './fake-keeper.ts';
import { runCli } from './run-cli.ts';

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
  expect(keeper.calls[0]?.[3]).toMatchObject({ method: 'POST', body: '{"a":1}\n' });
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

it('passes bytes through unchanged', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const { stdout } = await runCli(['call', 'perspio', '/a'], {
    keeper: api(() => new Response(bytes)),
  });
  expect(Buffer.from(stdout, 'utf8').length).toBeGreaterThan(256);
  expect(
    (
      await runCli(['call', 'perspio', '/a'], {
        keeper: api(() => new Response(null, { status: 204 })),
      })
    ).stdout,
  ).toBe('');
});

it('refuses a header that is none and a body that cannot be read', async () => {
  expect((await runCli(['call', 'perspio', '/a', '-H', 'nonsense'])).code).toBe(2);
  expect((await runCli(['call', 'perspio', '/a', '-d', '@/no/such/file'])).stderr).toContain(
    'cannot be read: ENOENT',
  );
  expect((await runCli(['call', 'perspio', 'https://a.example/', 'GET'])).code).toBe(2);
});
