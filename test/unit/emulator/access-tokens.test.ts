import { describe, expect, it } from 'vitest';
import {
  createServerState,
  endGrant,
  type AuthorizationServer,
} from '../../../src/emulator/server.ts';
import { readScope } from '../../../src/emulator/scopes.ts';
import { movableClock } from '../../../src/emulator/movable-clock.ts';
import { resolveSettings } from '../../../src/emulator/settings.ts';
import { issueDelegated } from '../../../src/emulator/tokens/issue.ts';
import { openGrant } from '../../../src/emulator/tokens/open-grant.ts';
import { fakeClock } from '../../support/fake-clock.ts';

function begin() {
  const settings = resolveSettings({ opaqueAccessTokens: true, accessLifeSeconds: 100 });
  const server = createServerState(settings, movableClock(fakeClock()));
  const client = server.clients.find('perspio-demo');
  const scope = 'api://perspiotalk/access_as_user offline_access';
  const grant = openGrant(server, client, 'demo@perspio.io', scope);
  const issue = () =>
    issueDelegated(server, {
      client,
      grant,
      scope: readScope(scope, settings.resources),
      withRefreshToken: true,
    });
  return { server, grant, issue };
}

function isAlive(server: AuthorizationServer, fingerprint: string): boolean {
  return server.accessTokens.findAlive(fingerprint, server.clock.now()) !== undefined;
}

describe('an access token', () => {
  it('that was being signed when its family was revoked for reuse is never alive', async () => {
    const { server, grant, issue } = begin();
    const issuing = issue();
    endGrant(server, grant, 'reuse', true);
    expect(isAlive(server, (await issuing).accessTokenFingerprint)).toBe(false);
  });

  it('lives on where only refresh tokens were revoked meanwhile', async () => {
    const { server, grant, issue } = begin();
    const issuing = issue();
    endGrant(server, grant, 'user-revoked', false);
    expect(isAlive(server, (await issuing).accessTokenFingerprint)).toBe(true);
  });

  it('is forgotten some time after it has expired', async () => {
    const { server, grant, issue } = begin();
    await issue();
    await issue();
    expect(grant.accessTokens.size).toBe(2);
    server.clock.advance(101_000);
    await issue();
    expect(grant.accessTokens.size).toBe(1);
  });
});
