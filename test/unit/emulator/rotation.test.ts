import { describe, expect, it } from 'vitest';
import type { Emulator, EmulatorOptions } from '../../../src/emulator/emulator.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { refresh } from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();
let emulator: Emulator;

/** Starts an emulator with one grant, and returns the first refresh token. */
async function start(options: EmulatorOptions): Promise<string> {
  emulator = await startEmulator(options);
  return (await emulator.issueGrant()).refreshToken ?? '';
}

/** Refreshes and returns the tokens. */
async function renew(refreshToken: string): Promise<{ access: string; refresh: string }> {
  const reply = await refresh(emulator, refreshToken);
  expect(reply.status).toBe(200);
  const { access_token: access, refresh_token: next } = reply.json();
  return { access: String(access), refresh: String(next) };
}

async function expectRefused(refreshToken: string, code: number): Promise<void> {
  const reply = await refresh(emulator, refreshToken);
  expect(reply.status).toBe(400);
  expect(reply.json()).toMatchObject({ error: 'invalid_grant', error_codes: [code] });
}

describe('rotation none', () => {
  it('gives no new refresh token and goes on honouring the one there is', async () => {
    const first = await start({ rotation: 'none' });
    for (let i = 0; i < 3; i++) {
      const reply = await refresh(emulator, first);
      expect(reply.status).toBe(200);
      expect(reply.json()).not.toHaveProperty('refresh_token');
    }
    expect(emulator.describe()).toMatchObject([{ generation: 1, alive: true }]);
  });
});

describe('rotation reusable', () => {
  it('gives a new refresh token each time and honours every older one', async () => {
    const first = await start({});
    const second = await renew(first);
    const third = await renew(first);
    expect(new Set([first, second.refresh, third.refresh]).size).toBe(3);
    await renew(second.refresh);
    expect(emulator.describe()).toMatchObject([
      { generation: 4, alive: true, honouredGenerations: [1, 2, 3, 4] },
    ]);
  });

  it('notes a replay without punishing it', async () => {
    const first = await start({});
    await renew(first);
    await renew(first);
    expect(emulator.ledger.entries().map(({ replay }) => replay)).toEqual([false, true]);
  });
});

describe('rotation single-use', () => {
  it('kills every refresh and access token of the family when a used one comes back', async () => {
    const first = await start({ rotation: 'single-use' });
    const second = await renew(first);
    const third = await renew(second.refresh);
    await expectRefused(first, 70000);
    expect(emulator.isRefreshTokenHonoured(third.refresh)).toBe(false);
    expect(emulator.isAccessTokenAlive(third.access)).toBe(false);
    await expectRefused(third.refresh, 70008);
    expect(emulator.describe()).toMatchObject([
      { alive: false, revokedBecause: 'reuse', honouredGenerations: [], accessTokensAlive: [] },
    ]);
  });

  it('refuses the used token alone where families are not revoked', async () => {
    const first = await start({ rotation: 'single-use', revokesFamily: false });
    const second = await renew(first);
    await expectRefused(first, 70000);
    await renew(second.refresh);
    expect(emulator.isAccessTokenAlive(second.access)).toBe(true);
  });

  it('lets one of two racing requests win, and then revokes the family', async () => {
    const first = await start({ rotation: 'single-use', commitDelayMs: 20 });
    const replies = await Promise.all([refresh(emulator, first), refresh(emulator, first)]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(emulator.describe()).toMatchObject([{ revokedBecause: 'reuse', accessTokensAlive: [] }]);
  });

  it('does not use a token up by a request that is refused for its scope', async () => {
    const first = await start({ rotation: 'single-use' });
    const refused = await refresh(emulator, first, {
      scope: 'https://graph.microsoft.com/Mail.Read',
    });
    expect(refused.json()['error_codes']).toEqual([65001]);
    await renew(first);
  });

  it('leaves other families alone', async () => {
    const first = await start({ rotation: 'single-use' });
    const other = await emulator.issueGrant();
    await renew(first);
    await expectRefused(first, 70000);
    await renew(other.refreshToken ?? '');
  });
});

describe('rotation grace', () => {
  it('honours a used token until its grace is over, counted from the first use', async () => {
    const first = await start({ rotation: 'grace', graceMs: 30_000 });
    await renew(first);
    emulator.clock.advance(20_000);
    await renew(first);
    emulator.clock.advance(9_000);
    expect(emulator.isRefreshTokenHonoured(first)).toBe(true);
    emulator.clock.advance(1_500);
    expect(emulator.isRefreshTokenHonoured(first)).toBe(false);
    await expectRefused(first, 70000);
    expect(emulator.describe()).toMatchObject([{ revokedBecause: 'reuse' }]);
  });

  it('refuses the late reuse alone where families are not revoked', async () => {
    const first = await start({ rotation: 'grace', graceMs: 1_000, revokesFamily: false });
    const second = await renew(first);
    emulator.clock.advance(2_000);
    await expectRefused(first, 70000);
    await renew(second.refresh);
  });
});

describe('the life of a grant', () => {
  it('ends when its refresh token was idle for the limit, and not before', async () => {
    const first = await start({});
    emulator.clock.advance(90 * 86_400_000 - 60_000);
    const second = await renew(first);
    emulator.clock.advance(90 * 86_400_000);
    const reply = await refresh(emulator, second.refresh);
    expect(reply.json()).toMatchObject({ error_codes: [700082], suberror: 'bad_token' });
  });

  it('ends with 50173 when the user is revoked, while access tokens live on', async () => {
    const first = await start({});
    const { access } = await renew(first);
    emulator.revokeUser('demo@perspio.io');
    await expectRefused(first, 50173);
    expect(emulator.isAccessTokenAlive(access)).toBe(true);
    const again = await emulator.issueGrant();
    await renew(again.refreshToken ?? '');
  });

  it('ends with 50057 while the account is disabled', async () => {
    const first = await start({});
    emulator.disableUser('demo@perspio.io');
    await expectRefused(first, 50057);
    emulator.disableUser('demo@perspio.io', false);
    await renew(first);
  });

  it('ends for one family alone when that is revoked', async () => {
    const first = await start({});
    const other = await emulator.issueGrant({ user: 'other@perspio.io' });
    const { access } = await renew(first);
    emulator.revokeGrant('grant-1');
    await expectRefused(first, 70008);
    expect(emulator.isAccessTokenAlive(access)).toBe(false);
    await renew(other.refreshToken ?? '');
  });

  it('takes its rotation from the client where the client has one', async () => {
    await start({});
    emulator.registerClient({
      clientId: 'strict',
      clientSecret: 'strict secret',
      rotation: 'single-use',
    });
    const { refreshToken } = await emulator.issueGrant({ clientId: 'strict' });
    const credentials = { client_id: 'strict', client_secret: 'strict secret' };
    expect((await refresh(emulator, refreshToken, credentials)).status).toBe(200);
    expect((await refresh(emulator, refreshToken, credentials)).status).toBe(400);
  });
});
