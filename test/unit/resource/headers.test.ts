import { describe, expect, it } from 'vitest';
import { AccessToken } from '../../../src/access-token.ts';
import { perspio } from '../../../src/providers/perspio.ts';
import { apiHeaders } from '../../../src/resource/headers.ts';
import { Secret } from '../../../src/secret.ts';

const token = new AccessToken('at-1', { type: 'Bearer', scope: [], expiresAt: 0, generation: 1 });
const settings = { subscriptionKey: new Secret('key-1'), perspioTenantId: 'in-demo' };

describe('the header fields of a call', () => {
  it('are the token, the connection’s settings and the provider’s constants', () => {
    expect(Object.fromEntries(apiHeaders(undefined, perspio.api, settings, token))).toEqual({
      accept: 'application/json',
      authorization: 'Bearer at-1',
      'ocp-apim-subscription-key': 'key-1',
      tid: 'in-demo',
    });
  });

  it('leave out what the connection does not know', () => {
    const headers = apiHeaders(undefined, perspio.api, {}, token);
    expect(headers.has('ocp-apim-subscription-key')).toBe(false);
    expect(headers.has('tid')).toBe(false);
  });

  it('keep the caller’s own, and its Accept', () => {
    const headers = apiHeaders({ accept: 'text/csv', 'x-mine': '1' }, perspio.api, settings, token);
    expect(headers.get('accept')).toBe('text/csv');
    expect(headers.get('x-mine')).toBe('1');
  });

  it('accept JSON where the provider says nothing', () => {
    expect(apiHeaders(undefined, undefined, {}, token).get('accept')).toBe('application/json');
  });

  it.each(['Authorization', 'proxy-authorization', 'Host'])('refuse a %s of the caller', (name) => {
    expect(() => apiHeaders({ [name]: 'mine' }, perspio.api, settings, token)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });

  it.each(['line\nbreak', 'carriage\r\nreturn', 'ümlaut', ' padded', 'nul\0'])(
    'refuse a setting that no field can carry, without showing it: %j',
    (value) => {
      const act = (): Headers =>
        apiHeaders(undefined, perspio.api, { subscriptionKey: new Secret(value) }, token);
      expect(act).toThrow(
        expect.objectContaining({
          code: 'ERR_CONFIGURATION',
          message: expect.not.stringContaining(value.trim()),
        }),
      );
    },
  );
});
