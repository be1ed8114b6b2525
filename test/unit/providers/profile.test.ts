import { describe, expect, it } from 'vitest';
import { entra } from '../../../src/providers/entra.ts';
import { generic } from '../../../src/providers/generic.ts';
import { perspio } from '../../../src/providers/perspio.ts';
import { resolveProfile, type ProfileOverrides } from '../../../src/providers/profile.ts';

const refused = expect.objectContaining({ code: 'ERR_CONFIGURATION' });
const api = { origins: ['https://api.example'], base: 'https://api.example/' };
const server = { tokenEndpoint: 'https://as.example/token' };

describe('a profile', () => {
  it('of Perspio has its tenant in every address', () => {
    const profile = resolveProfile(perspio);
    const tenant = '7d548d61-6361-4a6e-85e6-509e2c05d05e';
    expect(profile.tokenEndpoint).toBe(
      `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`,
    );
    expect(profile.issuer).toBe(`https://login.microsoftonline.com/${tenant}/v2.0`);
    expect(JSON.stringify(profile)).not.toContain('{entraTenantId}');
    expect(profile.insecureLoopback).toBe(false);
  });

  it('takes overrides whole and leaves undefined ones out', () => {
    const overrides: object = { rotation: 'grace', graceMs: 5, idleLimitMs: undefined };
    expect(resolveProfile(perspio, overrides)).toMatchObject({
      rotation: 'grace',
      graceMs: 5,
      idleLimitMs: perspio.idleLimitMs,
    });
  });

  it('keeps an address with a query as it is', () => {
    const tokenEndpoint = 'https://as.example/token?tenant=t';
    expect(resolveProfile(generic, { tokenEndpoint }).tokenEndpoint).toBe(tokenEndpoint);
  });

  it.each(['contoso.onmicrosoft.com', 'common', '00000000-0000-0000-0000-000000000000'])(
    'takes the tenant %s',
    (entraTenantId) => {
      expect(resolveProfile(entra, { entraTenantId }).tokenEndpoint).toContain(
        `/${entraTenantId}/`,
      );
    },
  );

  it.each(['', '..', '.', 'a/b', 'a?b', 'a#b', 'a%2fb', 'a b', '$&'])(
    'refuses the tenant %j',
    (entraTenantId) => {
      expect(() => resolveProfile(entra, { entraTenantId })).toThrow(refused);
    },
  );

  it('needs a tenant, a token endpoint and known fields', () => {
    expect(() => resolveProfile(entra)).toThrow(/: entraTenantId is missing/);
    expect(() => resolveProfile(generic)).toThrow(/: tokenEndpoint is missing/);
    expect(() =>
      resolveProfile(generic, { ...server, rotaton: 'none' } as ProfileOverrides),
    ).toThrow(/: rotaton is no field/);
    expect(() =>
      resolveProfile(generic, { tokenEndpoint: 'https://{shop}.example/token' }),
    ).toThrow(/\{shop\}/);
  });

  it.each([
    'http://as.example/token',
    'http://127.0.0.1:1/token',
    'https://user:pw@as.example/token',
    'https://as.example/token#x',
    'ftp://as.example/token',
    'as.example/token',
    'https://as.example/to\nken',
    ' https://as.example/token',
    'https://as.example/\u202etoken',
    '',
  ])('refuses the address %j', (address) => {
    for (const name of ['tokenEndpoint', 'issuer', 'authorizationEndpoint', 'jwksUri']) {
      expect(() => resolveProfile(generic, { ...server, [name]: address })).toThrow(refused);
    }
  });

  it('takes plain http to this machine alone, and only when told to', () => {
    const insecureLoopback = true;
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const tokenEndpoint = `http://${host}:1/token`;
      expect(resolveProfile(generic, { tokenEndpoint, insecureLoopback }).tokenEndpoint).toBe(
        tokenEndpoint,
      );
    }
    for (const host of ['as.example', '127.0.0.1.as.example', 'localhost.as.example', '10.0.0.1']) {
      const tokenEndpoint = `http://${host}/token`;
      expect(() => resolveProfile(generic, { tokenEndpoint, insecureLoopback })).toThrow(refused);
    }
  });

  it.each([
    { origins: ['https://api.example/'], base: 'https://api.example' },
    { origins: ['https://api.example/v1'], base: 'https://api.example' },
    { origins: ['https://API.example'], base: 'https://api.example' },
    { origins: ['http://api.example'], base: 'http://api.example' },
    { origins: ['*'], base: 'https://api.example' },
    { origins: ['https://api.example'], base: 'https://other.example' },
    { origins: [], base: 'https://api.example' },
  ])('refuses the API %j', (api) => {
    expect(() => resolveProfile(generic, { ...server, api })).toThrow(refused);
  });

  const unusable: readonly unknown[] = [
    NaN,
    Infinity,
    -Infinity,
    -1,
    '30000',
    '',
    null,
    true,
    1e13,
  ];
  const withNumber: Readonly<Record<string, (value: unknown) => object>> = {
    graceMs: (graceMs) => ({ rotation: 'grace', graceMs }),
    idleLimitMs: (idleLimitMs) => ({ idleLimitMs }),
    'dialect.defaultAccessLifeMs': (defaultAccessLifeMs) => ({ dialect: { defaultAccessLifeMs } }),
    'dialect.throttleCodes': (code) => ({ dialect: { throttleCodes: [50196, code] } }),
    'api.limits.requests': (requests) => ({ api: { ...api, limits: [{ requests, windowMs: 1 }] } }),
    'api.limits.windowMs': (windowMs) => ({ api: { ...api, limits: [{ requests: 1, windowMs }] } }),
  };

  it.each(Object.keys(withNumber))(
    'refuses a number %s that cannot be used, by its name',
    (name) => {
      const given = (value: unknown): object => ({ ...server, ...withNumber[name]?.(value) });
      for (const value of unusable) {
        expect(() => resolveProfile(generic, given(value)), String(value)).toThrow(refused);
        expect(() => resolveProfile(generic, given(value))).toThrow(
          `provider generic: ${name} must`,
        );
      }
      for (const value of [1, 0.1 * 86_400_001, 90 * 86_400_000]) {
        expect(resolveProfile(generic, given(value))).toMatchObject(given(value));
      }
    },
  );

  it.each([
    [{ dialect: null }, 'dialect must be an object'],
    [{ dialect: { throttleCodes: 50_196 } }, 'dialect.throttleCodes must be a list of numbers'],
    [{ api: 'https://api.example' }, 'api must be an object'],
    [{ api: { base: 'https://api.example/' } }, 'api.origins must be a list of texts'],
    [{ api: { ...api, limits: 5 } }, 'api.limits must be a list of objects'],
    [{ scopes: { authorization: 'a b', clientCredentials: [] } }, 'scopes.authorization must be'],
    [{ scopes: ['a'] }, 'scopes must be an object'],
    [{ rotation: 'sometimes' }, 'rotation must be one of none, reusable, grace'],
    [{ tokenEndpoint: 7 }, 'tokenEndpoint must be text'],
    [{ sendScopeOnRefresh: 'yes' }, 'sendScopeOnRefresh must be true or false'],
    [{ adviceByCode: [] }, 'adviceByCode must be an object'],
    [{ tokenParameters: { audience: 5 } }, 'tokenParameters.audience must be text'],
    [{ authorizationParameters: { a: null } }, 'authorizationParameters.a must be text'],
    [{ dialect: { errorAliases: { x: {} } } }, 'dialect.errorAliases.x must be text'],
    [{ api: { ...api, headers: { 'x-a': 'b' } } }, 'api.headers.x-a must be an object'],
    [{ adviceByError: { x: { actor: 'owner', cause: 'c' } } }, 'adviceByError.x.remedy must be'],
    [{ adviceByCode: { 1: { actor: 'me' } } }, 'adviceByCode.1.actor must be one of owner'],
  ])('refuses %j, which is not what its type says, by its name', (overrides: object, because) => {
    const given = { ...server, ...overrides };
    expect(() => resolveProfile(generic, given)).toThrow(because);
    expect(() => resolveProfile(generic, given)).toThrow(refused);
  });

  const ours = 'is set by evergrant; leave it out';
  it.each([
    ['x y', { value: '1' }, 'holds characters that no name of a header field has'],
    ['', { value: '1' }, 'holds characters that no name of a header field has'],
    ['x-a\r\nx-b', { value: '1' }, 'holds characters that no name of a header field has'],
    ['x-a', { value: 'hidden\nb' }, 'has a value that a header field cannot carry'],
    ['x-a', { value: 'hidden\u0000' }, 'has a value that a header field cannot carry'],
    ['x-a', { value: 'hidden\u20ac' }, 'has a value that a header field cannot carry'],
    ['x-a', { value: ' hidden' }, 'has a value that a header field cannot carry'],
    ['x-a', { value: 5 }, 'must be {"value": text} or {"setting": "subscriptionKey"}'],
    ['x-a', { value: null }, 'must be {"value": text} or {"setting": "subscriptionKey"}'],
    ['x-a', {}, 'must be {"value": text} or {"setting": "subscriptionKey"}'],
    ['x-a', { setting: 'subscriptionkey' }, 'or {"setting": "perspioTenantId"}'],
    ['x-a', { setting: 'toString' }, 'or {"setting": "perspioTenantId"}'],
    ['x-a', { setting: 'subscriptionKey', value: 'hidden' }, 'must be {"value": text} or'],
    ['Authorization', { setting: 'subscriptionKey' }, ours],
    ['host', { value: 'other.example' }, ours],
    ['Content-Length', { value: '0' }, ours],
    ['transfer-encoding', { value: 'chunked' }, ours],
  ])('refuses a header %j of the API that is %j, by its name', (name, header, because) => {
    const given = { ...server, api: { ...api, headers: { [name]: header } } } as ProfileOverrides;
    const resolve = (): unknown => resolveProfile(generic, given);
    expect(resolve).toThrow(refused);
    expect(resolve).toThrow(because);
    // It may be a key.
    expect(resolve).not.toThrow('hidden');
  });

  it('takes headers of the API that can be sent', () => {
    const headers = {
      'x-a': { value: 'a b' },
      'x-b': { value: '' },
      "!#$%&'*+-.^_`|~": { value: '1' },
      'x-key': { setting: 'subscriptionKey' },
      tid: { setting: 'perspioTenantId' },
    } as const;
    const overrides = { ...server, api: { ...api, headers } };
    expect(resolveProfile(generic, overrides).api?.headers).toEqual(headers);
  });

  it('takes a grace of nothing, but no life, window or allowance of nothing', () => {
    expect(resolveProfile(generic, { ...server, graceMs: 0 }).graceMs).toBe(0);
    for (const name of Object.keys(withNumber)
      .slice(1)
      .filter((one) => !one.endsWith('Codes')))
      expect(() => resolveProfile(generic, { ...server, ...withNumber[name]?.(0) })).toThrow(name);
  });
});
