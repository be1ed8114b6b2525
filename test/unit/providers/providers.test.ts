import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/errors.ts';
import { readTokenAnswer } from '../../../src/oauth/token-answer.ts';
import { readScope } from '../../../src/oauth/scope.ts';
import { findProvider, providers } from '../../../src/providers/providers.ts';

const DAY_MS = 86_400_000;

describe('the providers', () => {
  it('have names of their own and can be found by them', () => {
    const names = providers.map((provider) => provider.name);
    expect(names).toEqual(['perspio', 'entra', 'generic']);
    for (const name of names) expect(findProvider(name).name).toBe(name);
  });

  it('an unknown one is an error that names those that exist', () => {
    expect(() => findProvider('perspi')).toThrow(NotFoundError);
    expect(() => findProvider('perspi')).toThrow(
      'there is no provider "perspi"; known are perspio, entra, generic',
    );
  });

  it.each(providers)(
    '$name has addresses over https only, and scopes that may be sent',
    (provider) => {
      const addresses = [
        provider.issuer,
        provider.tokenEndpoint,
        provider.authorizationEndpoint,
        provider.deviceAuthorizationEndpoint,
        provider.jwksUri,
        provider.documentation,
        ...(provider.api?.origins ?? []),
      ];
      for (const address of addresses)
        if (address !== undefined) expect(address).toMatch(/^https:\/\//);
      const { authorization, refresh = [], clientCredentials } = provider.scopes;
      for (const scope of [authorization, refresh, clientCredentials])
        expect(readScope(scope)).toEqual({ scope, warnings: [] });
    },
  );
});

describe('Perspio', () => {
  const perspio = findProvider('perspio');

  it('is its own tenant of Entra with the scopes of its pages', () => {
    expect(perspio).toMatchObject({
      tokenEndpoint: 'https://login.microsoftonline.com/{entraTenantId}/oauth2/v2.0/token',
      entraTenantId: '7d548d61-6361-4a6e-85e6-509e2c05d05e',
      clientAuthentication: 'client_secret_post',
      rotation: 'reusable',
      idleLimitMs: 90 * DAY_MS,
      sendScopeOnRefresh: true,
      retryWithGrantedScope: true,
      loopbackHost: 'localhost',
      scopes: {
        authorization: ['api://perspiotalk/access_as_user', 'offline_access', 'openid', 'profile'],
        refresh: ['api://perspiotalk/all_readwrite', 'offline_access'],
        clientCredentials: ['api://perspiotalk/.default'],
      },
    });
    expect(perspio.revocationEndpoint).toBeUndefined();
  });

  it('has an API that wants a key and a tenant beside the token', () => {
    expect(perspio.api).toEqual({
      origins: ['https://talk.perspio.io'],
      base: 'https://talk.perspio.io',
      headers: {
        'Ocp-Apim-Subscription-Key': { setting: 'subscriptionKey' },
        tid: { setting: 'perspioTenantId' },
        Accept: { value: 'application/json' },
      },
      limits: [
        { requests: 20, windowMs: 90_000, sharedBy: 'client' },
        { requests: 10_000, windowMs: 3_600_000, sharedBy: 'tenant' },
      ],
    });
  });

  it('assumes the documented life of a token where the answer names none', () => {
    const body = new TextEncoder().encode('{"access_token":"at","token_type":"Bearer"}');
    const outcome = readTokenAnswer({ status: 200, headers: {}, body }, perspio.dialect, 0);
    expect(outcome).toMatchObject({ kind: 'refreshed', tokens: { accessLifeMs: 3_599_000 } });
  });

  it('throttles under the name of a refused grant, which is not taken for one', () => {
    const body = new TextEncoder().encode('{"error":"invalid_grant","error_codes":[50196]}');
    const outcome = readTokenAnswer({ status: 400, headers: {}, body }, perspio.dialect, 0);
    expect(outcome.kind).toBe('throttled');
  });
});

describe('any other server', () => {
  it('is treated as if a refresh token were good once', () => {
    expect(findProvider('generic').rotation).toBe('unknown');
  });

  it.each([
    ['{"error":"bad_refresh_token"}', 'grant_refused'],
    ['{"ok":false,"error":"invalid_refresh_token"}', 'grant_refused'],
    ['{"status":"BAD_REFRESH_TOKEN","message":"gone"}', 'grant_refused'],
    ['{"error":"incorrect_client_credentials"}', 'client_refused'],
  ])('may refuse by %s', (text, kind) => {
    const body = new TextEncoder().encode(text);
    const { dialect } = findProvider('generic');
    expect(readTokenAnswer({ status: 400, headers: {}, body }, dialect, 0).kind).toBe(kind);
  });
});
