import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Authority } from '../../faults/experiments/authority.ts';
import { oidcAuthority } from '../../faults/experiments/oidc-authority.ts';
import { makeKeptHome, type KeptHome } from '../../support/kept-home.ts';

/*
 * A strict server by others judges the keeper: refresh tokens are good once there, and using one again revokes the grant.
 */

const HOUR_MS = 3_600_000;
let authority: Authority;
let home: KeptHome;

beforeEach(async () => {
  authority = await oidcAuthority({ commitDelayMs: 0, answerDelayMs: 0 });
  home = await makeKeptHome(authority.begin, await authority.signIn());
});
afterEach(async () => {
  await home[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});

async function refreshToken(): Promise<string> {
  return (await home.look()).refreshToken;
}

/** Sends a refresh token as a thief would, past the keeper. */
async function replay(token: string): Promise<number> {
  const { tokenEndpoint } = authority.begin.overrides ?? {};
  const { clientId } = authority.begin.client;
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: token,
    client_id: clientId,
  });
  const response = await fetch(tokenEndpoint ?? '', { method: 'POST', body });
  await response.text();
  return response.status;
}

describe('at oidc-provider', () => {
  it('each refresh uses up its refresh token and keeps the new one', async () => {
    const used = new Set<string>();
    for (let generation = 2; generation <= 4; generation++) {
      used.add(await refreshToken());
      home.aheadMs += HOUR_MS;
      expect(await home.token()).toMatchObject({ generation });
      expect(await authority.honours(await refreshToken())).toBe(true);
    }
    for (const token of used) expect(await authority.honours(token)).toBe(false);
    expect(used.size).toBe(3);
  });

  it('a grant that a replay has revoked is told as refused, and its owner is asked', async () => {
    const first = await refreshToken();
    home.aheadMs += HOUR_MS;
    await home.token();
    expect(await replay(first)).toBe(400);
    expect(await authority.honours(await refreshToken())).toBe(false);
    home.aheadMs += HOUR_MS;
    expect(await home.token()).toMatchObject({ code: 'ERR_GRANT_REFUSED' });
    expect((await home.look()).notices).toEqual(['attention']);
  });

  it('disconnecting revokes the refresh token there', async () => {
    const token = await refreshToken();
    expect(await authority.honours(token)).toBe(true);
    await home.visit((connection) => connection.disconnect());
    expect(await authority.honours(token)).toBe(false);
  });
});
