import { expect, it } from 'vitest';
import { overridesShown } from '../../../src/keeper/overrides-shown.ts';

it('what a registration overrides is shown flat, and nothing of it that may be a key', () => {
  const shown = overridesShown({
    tokenEndpoint: 'https://as.example/token',
    issuer: 'https://as.example',
    graceMs: 30_000,
    insecureLoopback: false,
    jwksUri: undefined,
    scopes: { authorization: ['a', 'b'], clientCredentials: [] },
    tokenParameters: { resource: 'hush-1' },
    authorizationParameters: { prompt: 'hush-2' },
    api: {
      origins: ['https://api.example'],
      base: 'https://api.example',
      headers: { 'x-key': { value: 'hush-3' } },
      limits: [{ requests: 20, windowMs: 90_000, sharedBy: 'client' }],
    },
  });
  expect(shown).toEqual({
    issuer: 'https://as.example',
    graceMs: 30_000,
    insecureLoopback: false,
    'scopes.authorization': 'a b',
    'scopes.clientCredentials': '',
    'tokenParameters.resource': '…',
    'authorizationParameters.prompt': '…',
    'api.origins': 'https://api.example',
    'api.base': 'https://api.example',
    'api.headers.x-key': '…',
    'api.limits.0.requests': 20,
    'api.limits.0.windowMs': 90_000,
    'api.limits.0.sharedBy': 'client',
  });
});
