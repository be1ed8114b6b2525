import { describe, expect, it } from 'vitest';
import { readTarget, resolveTarget, targetOf } from '../../../../src/daemon/proxy/target.ts';
import type { ApiPlace } from '../../../../src/resource/origins.ts';

const API: ApiPlace = {
  origins: ['https://talk.example', 'https://files.example:8443'],
  base: 'https://talk.example',
};
const FOLDER: ApiPlace = { ...API, base: 'https://talk.example/v1/' };

function resolve(target: string, api: ApiPlace | undefined = API): readonly string[] {
  const { url, path, plainPath } = resolveTarget(readTarget(target), api);
  return [url.origin, path, plainPath];
}

describe('the target of a request', () => {
  it.each([
    ['/proxy/perspio/assets/v3/', ['/assets/v3/', '/assets/v3/']],
    ['/proxy/perspio/', ['/', '/']],
    ['/proxy/perspio/?a=b', ['/?a=b', '/']],
    ['/proxy/perspio/a?', ['/a?', '/a']],
    [
      "/proxy/perspio/a?$filter=name eq 'x'".replaceAll(' ', '%20'),
      ["/a?$filter=name%20eq%20'x'", '/a'],
    ],
    ['/proxy/perspio/a?x=/../y&z=//h&u=http://v', ['/a?x=/../y&z=//h&u=http://v', '/a']],
    ["/proxy/perspio/Users('a')", ["/Users('a')", "/Users('a')"]],
    ['/proxy/perspio/a%20b;c=d/100%25', ['/a%20b;c=d/100%25', '/a b;c=d/100%']],
    ['/proxy/perspio/%61dmin', ['/%61dmin', '/admin']],
    ['/proxy/perspio/caf%C3%A9', ['/caf%C3%A9', '/café']],
    ['/proxy/perspio/...', ['/...', '/...']],
    ['/proxy/perspio/a..b/.c', ['/a..b/.c', '/a..b/.c']],
    ['/proxy/perspio/https:', ['/https:', '/https:']],
    ['/proxy/perspio/https://talk.example', ['/', '/']],
    ['/proxy/perspio/https://talk.example:443/a', ['/a', '/a']],
    ['/proxy/perspio/https://talk.example?a', ['/?a', '/']],
  ])('%s leads to the API', (target, [path, plainPath]) => {
    expect(resolve(target)).toEqual(['https://talk.example', path, plainPath]);
  });

  it('names another origin of the list as it is written', () => {
    expect(resolve('/proxy/perspio/https://files.example:8443/a/b?c')).toEqual([
      'https://files.example:8443',
      '/a/b?c',
      '/a/b',
    ]);
  });

  it('is below the folder of the base, unless it names an origin', () => {
    expect(resolve('/proxy/perspio/assets', FOLDER)[1]).toBe('/v1/assets');
    expect(resolve('/proxy/perspio/assets', FOLDER)[2]).toBe('/v1/assets');
    expect(resolve('/proxy/perspio/', FOLDER)[1]).toBe('/v1/');
    expect(resolve('/proxy/perspio/https://talk.example/x', FOLDER)[1]).toBe('/x');
  });

  it('holds the name of any connection', () => {
    const { connection } = readTarget('/proxy/caf%C3%A9:a@b+c/x');
    expect(connection).toBe('café:a@b+c');
  });

  it.each([
    ['/proxy/p/https://evil.example/', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['/proxy/p/http://talk.example/', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['/proxy/p/https://talk.example:8443/', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['/proxy/p/https://talk.example./', 'ERR_ORIGIN_NOT_ALLOWED'],
    ['/proxy/p/https://a@talk.example/', 'ERR_ARGUMENT'],
    ['/proxy/p/https://TALK.example/', 'ERR_ARGUMENT'],
    ['/proxy/p/a/../b', 'ERR_ARGUMENT'],
    ['/proxy/p/a//b', 'ERR_ARGUMENT'],
    ['/proxy/p/a?x#y', 'ERR_ARGUMENT'],
    ['/proxy/p/a?x="y', 'ERR_ARGUMENT'],
    ['/other/p/a', 'ERR_ARGUMENT'],
    ['/proxy/p', 'ERR_ARGUMENT'],
  ])('%s is refused', (target, code) => {
    expect(() => resolve(target)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused where the provider names no API', () => {
    expect(() => resolveTarget(readTarget('/proxy/p/a'), undefined)).toThrow('names no API');
  });
});

describe('the address of a redirect', () => {
  it('leads through the proxy where the proxy would take it', () => {
    const target = targetOf('a:b', new URL('https://files.example:8443/x?y=z'), API);
    expect(target).toBe('/proxy/a%3Ab/https://files.example:8443/x?y=z');
    expect(resolve(target ?? '')).toEqual(['https://files.example:8443', '/x?y=z', '/x']);
  });

  it.each(['https://evil.example/', 'https://talk.example/a%2fb', 'https://talk.example//a'])(
    'does not where it would not: %s',
    (address) => {
      expect(targetOf('a', new URL(address), API)).toBeUndefined();
    },
  );
});
