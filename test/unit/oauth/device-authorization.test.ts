import { describe, expect, it } from 'vitest';
import { readDeviceAuthorization } from '../../../src/oauth/device-authorization.ts';

function read(status: number, body: object | string): ReturnType<typeof readDeviceAuthorization> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readDeviceAuthorization(
    { status, headers: {}, body: new TextEncoder().encode(text) },
    {},
    0,
  );
}

const sound = {
  device_code: 'dc-1',
  user_code: 'ABCD',
  verification_uri: 'https://as.example/device',
};

describe('the answer of a device authorization endpoint', () => {
  it('tells codes, address and times', () => {
    const times = { expires_in: '600', interval: 7 };
    const complete = { verification_uri_complete: 'https://as.example/device?code=ABCD' };
    const device = read(200, { ...sound, ...times, ...complete });
    expect(device).toMatchObject({
      kind: 'device_authorization',
      userCode: 'ABCD',
      verificationUri: 'https://as.example/device',
      verificationUriComplete: 'https://as.example/device?code=ABCD',
      lifeMs: 600_000,
      intervalMs: 7_000,
    });
    expect('deviceCode' in device && device.deviceCode.reveal()).toBe('dc-1');
    expect(JSON.stringify(device)).not.toContain('dc-1');
  });

  it('means 15 minutes and 5 seconds where it tells no times', () => {
    expect(read(200, sound)).toMatchObject({ lifeMs: 900_000, intervalMs: 5_000 });
  });

  it.each([0, '0', 0.001])('makes nobody ask without a pause: interval %j', (interval) => {
    expect(read(200, { ...sound, interval })).toMatchObject({ intervalMs: 1_000 });
  });

  it('may spell the address as url', () => {
    const { verification_uri: verification_url, ...codes } = sound;
    expect(read(200, { ...codes, verification_url }).kind).toBe('device_authorization');
  });

  it.each(['device_code', 'user_code', 'verification_uri'])(
    'is none without a %s that is text',
    (name) => {
      for (const value of [undefined, '', 7, null, ['x']])
        expect(read(200, { ...sound, [name]: value }).kind).toBe('ambiguous');
    },
  );

  it('takes an empty member for a missing one', () => {
    const { verification_uri: verification_url, ...codes } = sound;
    const device = read(200, { ...codes, verification_uri: '', verification_url, error: '' });
    expect(device).toMatchObject({ verificationUri: 'https://as.example/device' });
    expect(read(200, { ...sound, verification_uri_complete: '' })).toHaveProperty(
      'verificationUriComplete',
      undefined,
    );
  });

  it('that brings tokens is kept, since nobody asked for them', () => {
    const text = '{"access_token":"at","token_type":"Bearer"}';
    expect(read(200, text)).toEqual({
      kind: 'ambiguous',
      reason: 'the device authorization endpoint answered with tokens',
      status: 200,
      retryAfterMs: undefined,
      body: new TextEncoder().encode(text),
      answer: 'unreadable',
    });
  });

  it('is a refusal like that of a token endpoint otherwise', () => {
    expect(read(400, { error: 'invalid_client' }).kind).toBe('client_refused');
    expect(read(200, { ...sound, error: 'invalid_scope' }).kind).toBe('request_refused');
    expect(read(200, { ...sound, user_code: '' }).kind).toBe('ambiguous');
    expect(read(429, 'slow').kind).toBe('throttled');
    expect(read(200, { access_token: 'at', token_type: 'Bearer' }).kind).toBe('ambiguous');
  });
});
