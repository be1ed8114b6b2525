import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { answerText, JsonText, toJson } from '../../../src/daemon/http/answer.ts';
import { Secret } from '../../../src/secret.ts';

describe('an answer as JSON', () => {
  it.each([
    ['members that are undefined are null, at any depth', { a: undefined, b: [{ c: undefined }] }],
    ['a list keeps its places', [undefined, 1, undefined]],
    ['characters are escaped as JSON wants it', { 'a"\\': 'line\n"\u2028\ud800', __proto__x: 1 }],
    ['numbers that JSON does not know are null', [Number.NaN, Infinity, -0]],
    ['what has a form of its own is written in it', { at: new Date(0), none: null }],
  ])('%s', (_, value) => {
    const asBefore = JSON.stringify(value, (_name, member: unknown) =>
      member === undefined ? null : member,
    );
    expect(toJson(value)).toBe(asBefore);
  });

  it('a name that means something to the language is a name like others', () => {
    expect(toJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
  });

  it('a secret stays one', () => {
    expect(toJson({ secret: new Secret('hush') })).not.toContain('hush');
  });

  it('what is JSON already is taken as it is', () => {
    expect(toJson(new JsonText('{"a":1}'))).toBe('{"a":1}');
  });
});

it('answers that are ready in one turn are sent together at its end, whoever has gone meanwhile', async () => {
  const asked: ServerResponse[] = [];
  const all = Promise.withResolvers<undefined>();
  await using server = createServer((_, response) => {
    if (asked.push(response) === 3) all.resolve(undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const leaver = new AbortController();
  const ask = (signal?: AbortSignal): Promise<string> =>
    fetch(`http://127.0.0.1:${String(port)}/`, { signal: signal ?? null }).then((it) => it.text());
  const answers = Promise.allSettled([ask(), ask(leaver.signal), ask()]);
  await all.promise;
  leaver.abort();
  for (const [i, response] of asked.entries()) answerText(response, { status: 200 }, String(i));
  expect(asked.map(({ writableEnded }) => writableEnded)).toEqual([false, false, false]);
  const came = (await answers).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(came).toHaveLength(2);
  expect(asked.every(({ writableEnded }) => writableEnded)).toBe(true);
  server.closeAllConnections();
});
