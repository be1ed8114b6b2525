import { describe, expect, it } from 'vitest';
import {
  authorizationCodeGrant,
  clientCredentialsGrant,
  deviceCodeGrant,
  refreshTokenGrant,
} from '../../../src/oauth/grants.ts';
import type { ClientAuthentication, TokenRequest } from '../../../src/oauth/outcome.ts';
import { encodeTokenRequest, secretsOf } from '../../../src/oauth/token-request.ts';
import { Secret } from '../../../src/secret.ts';

const secret = new Secret('s~+ é:%');

function request(
  authentication: ClientAuthentication,
  parameters: TokenRequest['parameters'] = clientCredentialsGrant({}),
): TokenRequest {
  return {
    tokenEndpoint: 'https://as.example/token',
    clientId: 'my client:1',
    authentication,
    parameters,
  };
}

function formOf(body: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(body));
}

describe('the client proves itself', () => {
  it('in the body, its secret encoded once', () => {
    const { headers, body } = encodeTokenRequest(request({ method: 'client_secret_post', secret }));
    expect(headers['authorization']).toBeUndefined();
    expect(body).toBe(
      'client_id=my%20client%3A1&client_secret=s%7E%2B%20%C3%A9%3A%25&grant_type=client_credentials',
    );
  });

  it('by Basic, id and secret each form-encoded before they are joined', () => {
    const { headers, body } = encodeTokenRequest(
      request({ method: 'client_secret_basic', secret }),
    );
    const [scheme, value = ''] = (headers['authorization'] ?? '').split(' ');
    expect(scheme).toBe('Basic');
    expect(Buffer.from(value, 'base64').toString()).toBe('my%20client%3A1:s%7E%2B%20%C3%A9%3A%25');
    expect(body).toBe('grant_type=client_credentials');
  });

  it('by Basic with raw values, for servers that decode wrongly', () => {
    const { headers } = encodeTokenRequest(request({ method: 'client_secret_basic_raw', secret }));
    const value = headers['authorization']?.slice('Basic '.length) ?? '';
    expect(Buffer.from(value, 'base64').toString()).toBe('my client:1:s~+ é:%');
  });

  it('by nothing but its id when it is public', () => {
    const { headers, body } = encodeTokenRequest(request({ method: 'none' }));
    expect(headers['authorization']).toBeUndefined();
    expect(formOf(body)).toEqual({ client_id: 'my client:1', grant_type: 'client_credentials' });
  });

  it.each(['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'])(
    'in one way only: an extra parameter %s is refused',
    (name) => {
      const twice = request({ method: 'client_secret_post', secret }, { [name]: 'x' });
      expect(() => encodeTokenRequest(twice)).toThrow(`the extra parameter ${name} would prove`);
      expect(() => encodeTokenRequest(twice)).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIGURATION' }),
      );
    },
  );

  it('by an assertion among the parameters when it has no secret', () => {
    const asserted = request({ method: 'none' }, { client_assertion: new Secret('jwt') });
    expect(formOf(encodeTokenRequest(asserted).body)).toHaveProperty('client_assertion', 'jwt');
  });
});

describe('the parameters', () => {
  const post: ClientAuthentication = { method: 'none' };
  const body = (parameters: TokenRequest['parameters']): Record<string, string> =>
    formOf(encodeTokenRequest(request(post, parameters)).body);

  it('of a refresh', () => {
    const scope = ['api://x/a', 'offline_access'];
    expect(body(refreshTokenGrant({ refreshToken: new Secret('r'), scope }))).toEqual({
      client_id: 'my client:1',
      refresh_token: 'r',
      scope: 'api://x/a offline_access',
      grant_type: 'refresh_token',
    });
  });

  it('of a code with its verifier', () => {
    const code = new Secret('c');
    const codeVerifier = new Secret('v');
    const grant = authorizationCodeGrant({ code, redirectUri: 'http://localhost', codeVerifier });
    expect(body(grant)).toEqual({
      client_id: 'my client:1',
      code: 'c',
      redirect_uri: 'http://localhost',
      code_verifier: 'v',
      grant_type: 'authorization_code',
    });
  });

  it('of a device code', () => {
    expect(body(deviceCodeGrant({ deviceCode: new Secret('d') }))).toEqual({
      client_id: 'my client:1',
      device_code: 'd',
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    });
  });

  it('are left out when they have no value', () => {
    expect(
      body({ ...clientCredentialsGrant({ scope: [] }), audience: '', resource: undefined }),
    ).toEqual({
      client_id: 'my client:1',
      grant_type: 'client_credentials',
    });
  });

  it('ask for JSON, and hold no line break whatever the values hold', () => {
    const encoded = encodeTokenRequest(request(post, { note: 'a\r\nb' }));
    expect(encoded.headers['accept']).toBe('application/json');
    expect(encoded.body).not.toMatch(/[\r\n]/);
  });

  it('and the authentication tell which secrets an answer must not echo', () => {
    const refreshToken = new Secret('r');
    const sent = request(
      { method: 'client_secret_post', secret },
      refreshTokenGrant({ refreshToken }),
    );
    expect(secretsOf(sent).map((one) => one.reveal())).toEqual([secret.reveal(), 'r']);
    const open = request({ method: 'none' }, refreshTokenGrant({ refreshToken }));
    expect(secretsOf(open)).toEqual([refreshToken]);
  });
});
