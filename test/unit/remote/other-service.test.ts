import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { pretendedDaemonFixture } from '../../support/pretended-daemon.ts';

/*
 * What listens where a daemon should may be something else. It is told as that, whatever it says.
 */

const pretended = pretendedDaemonFixture();

const OTHERS: readonly (readonly [what: string, say: (response: ServerResponse) => unknown])[] = [
  ['a page', (response) => response.end('<h1>It works</h1>')],
  ['a login redirect', (response) => response.writeHead(302, { location: '/login' }).end()],
  ['a redirect with JSON', (response) => response.writeHead(301).end('{"connections":[]}')],
  ['nothing', (response) => response.writeHead(204).end()],
  ['null', (response) => response.end('null')],
  ['a list', (response) => response.end('[]')],
  ['a word', (response) => response.end('"hello"')],
  ['half an object', (response) => response.end('{"connections":')],
  ['an error of another kind', (response) => response.writeHead(404).end('{"error":"no"}')],
];

describe('what is no daemon', () => {
  it.each(OTHERS)('and answers with %s is told as such', async (_what, say) => {
    const { keeper } = await pretended((_request, response) => void say(response));
    const alpha = keeper.connection('alpha');
    for (const call of [
      () => keeper.list(),
      () => keeper.clients(),
      () => alpha.token(),
      () => alpha.status(),
      () => alpha.pause(),
      () => keeper.removeClient('demo'),
    ])
      await expect(call(), String(call)).rejects.toMatchObject({
        code: 'ERR_DAEMON_UNREACHABLE',
        message: expect.stringMatching(/^what answers with \d{3} there is no daemon of evergrant/),
      });
  });

  it.each(OTHERS)('and answers with %s has no events either, which is said', async (_what, say) => {
    const { keeper } = await pretended((_request, response) => void say(response));
    const warning = Promise.withResolvers<string>();
    keeper.on('warning', ({ message }) => warning.resolve(message));
    expect(await warning.promise).toMatch(/^no events for now: what answers with \d{3} there/);
  });
});
