import { beforeEach, describe, expect, it } from 'vitest';
import type { Emulator } from '../../../src/emulator/emulator.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { call, postForm, requestToken, type Reply } from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();
let emulator: Emulator;

beforeEach(async () => {
  emulator = await startEmulator();
});

interface Device {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
}

async function begin(): Promise<Device> {
  const reply = await postForm(emulator.deviceAuthorizationEndpoint, {
    client_id: 'perspio-public',
    scope: 'api://perspiotalk/access_as_user offline_access',
  });
  expect(reply.status).toBe(200);
  return reply.json() as unknown as Device;
}

function poll(device: Device): Promise<Reply> {
  return requestToken(emulator, {
    client_id: 'perspio-public',
    client_secret: undefined,
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: device.device_code,
  });
}

describe('the device endpoint', () => {
  it('gives what Entra gives, and no complete verification URI', async () => {
    expect(await begin()).toEqual({
      device_code: expect.any(String) as string,
      user_code: expect.stringMatching(/^[A-Z2-9]{9}$/) as string,
      verification_uri: `${emulator.origin}/common/oauth2/deviceauth`,
      expires_in: 900,
      interval: 5,
      message: expect.any(String) as string,
    });
  });

  it('refuses an unknown client and an illegal scope', async () => {
    const ask = (client_id: string, scope: string) =>
      postForm(emulator.deviceAuthorizationEndpoint, { client_id, scope });
    expect((await ask('nobody', 'openid')).json()['error_codes']).toEqual([700016]);
    expect((await ask('perspio-public', '"openid"')).json()['error_codes']).toEqual([70011]);
  });
});

describe('a poll', () => {
  it('is pending until the person has signed in on the page, then yields tokens once', async () => {
    const device = await begin();
    expect((await poll(device)).json()).toMatchObject({
      error: 'authorization_pending',
      error_codes: [70016],
    });
    const start = await call(device.verification_uri);
    expect(start.text).toContain('name="user_code"');
    const code = device.user_code.toLowerCase();
    const page = await call(`${device.verification_uri}?user_code=${code}`);
    expect(page.text).toContain('perspio-public');
    const answers = { user_code: device.user_code, username: 'other@perspio.io' };
    const wrong = await postForm(device.verification_uri, { ...answers, password: 'wrong' });
    expect(wrong.status).toBe(401);
    const done = await postForm(device.verification_uri, { ...answers, password: 'demo-password' });
    expect(done.status).toBe(200);
    const reply = await poll(device);
    expect(reply.json()).toHaveProperty('refresh_token');
    expect(emulator.describe()).toMatchObject([{ user: 'other@perspio.io' }]);
    expect((await poll(device)).json()['error_codes']).toEqual([54005]);
  });

  it('is declined once the person has refused', async () => {
    const device = await begin();
    const { user_code } = device;
    await postForm(device.verification_uri, { user_code, decision: 'deny' });
    expect((await poll(device)).json()['error']).toBe('authorization_declined');
  });

  it('is answered as a test decides', async () => {
    const [accepted, denied] = [await begin(), await begin()];
    emulator.decideDevice(accepted.user_code, { user: 'demo@perspio.io' });
    emulator.decideDevice(denied.user_code, 'deny');
    expect((await poll(accepted)).status).toBe(200);
    expect((await poll(denied)).json()['error']).toBe('authorization_declined');
  });

  it('expires after fifteen minutes', async () => {
    const device = await begin();
    emulator.clock.advance(900_000);
    expect((await poll(device)).json()['error']).toBe('expired_token');
    const page = await call(`${device.verification_uri}?user_code=${device.user_code}`);
    expect(page.status).toBe(404);
  });

  it('with an unknown code is refused', async () => {
    const device = { ...(await begin()), device_code: 'unknown' };
    expect((await poll(device)).json()['error']).toBe('bad_verification_code');
  });
});
