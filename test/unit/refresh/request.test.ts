import { describe, expect, it } from 'vitest';
import type { ClientRecord, ConnectionRecord } from '../../../src/connection/record.ts';
import type { Sealer } from '../../../src/connection/secrets.ts';
import type { Profile } from '../../../src/providers/profile.ts';
import {
  buildRenewal,
  grantedScope,
  openAuthentication,
  type RenewalRequest,
} from '../../../src/refresh/request.ts';
import { Secret } from '../../../src/secret.ts';
import { someConnection, someView } from '../../support/views.ts';

const sealer = { open: (sealed: Uint8Array) => sealed } as unknown as Sealer;
const { client } = someView();
const refreshToken = new Secret('refresh-token');

function renew(
  connection: Partial<ConnectionRecord> = {},
  profile: object = { sendScopeOnRefresh: true },
  scope?: readonly string[],
): RenewalRequest {
  const whole = { scopes: {}, ...profile } as unknown as Profile;
  const rows = { connection: someConnection(connection), client, profile: whole };
  const isOfClient = connection.beginning === 'client_credentials';
  return buildRenewal(sealer, rows, isOfClient ? undefined : refreshToken, scope);
}

const scopes = { requested: ['api', 'offline_access'], granted: ['api'], refresh: undefined };

describe('a renewal asks for', () => {
  it.each<[string, Partial<ConnectionRecord>, object, readonly string[] | undefined, string[]]>([
    ['what was granted', {}, {}, undefined, ['api']],
    [
      'offline_access besides, where that was requested',
      { scopes },
      {},
      undefined,
      ['api', 'offline_access'],
    ],
    [
      'what its provider wants',
      { scopes },
      { scopes: { refresh: ['of-all'] } },
      undefined,
      ['of-all'],
    ],
    [
      'what it asked for when that worked',
      { scopes: { ...scopes, refresh: ['worked'] } },
      { scopes: { refresh: ['of-all'] } },
      undefined,
      ['worked'],
    ],
    ['what it is told to', { scopes }, {}, ['told'], ['told']],
    [
      'what was requested, where it begins with client credentials',
      { scopes, beginning: 'client_credentials' },
      { scopes: { refresh: ['of-all'] }, sendScopeOnRefresh: false },
      undefined,
      ['api', 'offline_access'],
    ],
  ])('%s', (_what, connection, profile, scope, asked) => {
    const { askedScope, request } = renew(
      connection,
      { sendScopeOnRefresh: true, ...profile },
      scope,
    );
    expect(askedScope).toEqual(asked);
    expect(request.parameters).toMatchObject({ scope: asked.join(' ') });
  });

  it('nothing by name where the server shall not be told, or there is nothing to name', () => {
    const silent = renew({}, { sendScopeOnRefresh: false });
    expect(silent.askedScope).toEqual(['api']);
    expect(silent.request.parameters).toHaveProperty('scope', undefined);
    const none = renew({ scopes: { requested: [], granted: [], refresh: undefined } });
    expect(none.request.parameters).toHaveProperty('scope', undefined);
  });
});

it('offline_access is added to what was granted only where it was requested and is not in there', () => {
  const asked = (requested: string[], granted: string[]): readonly string[] =>
    grantedScope(someConnection({ scopes: { requested, granted, refresh: undefined } }));
  expect(asked(['api'], ['api'])).toEqual(['api']);
  expect(asked(['offline_access'], ['offline_access'])).toEqual(['offline_access']);
  expect(asked(['offline_access'], ['api'])).toEqual(['api', 'offline_access']);
});

describe('a client proves itself', () => {
  const proof = (change: Partial<ClientRecord>): unknown =>
    openAuthentication(sealer, { ...client, ...change });

  it('by nothing, or by its secret', () => {
    const secret = Buffer.from('the secret');
    expect(proof({ authentication: 'none', secret })).toEqual({ method: 'none' });
    const authentication = 'client_secret_post';
    expect(proof({ authentication, secret })).toEqual({
      method: authentication,
      secret: new Secret('the secret'),
    });
  });

  it('not at all where the store holds no secret of it, which is told with what to do', () => {
    expect(() => proof({ authentication: 'client_secret_basic' })).toThrow(
      expect.objectContaining({
        code: 'ERR_CLIENT_REFUSED',
        message: 'client app has no secret in the store; set it with evergrant client set-secret',
      }),
    );
  });
});
