import { describeGrants } from './describe-grants.ts';
import { fingerprint } from './fingerprint.ts';
import type { Emulator } from './handle.ts';
import { issueGrant } from './issue-grant.ts';
import {
  endGrant,
  lookUpRefreshToken,
  randomText,
  verdictOn,
  type AuthorizationServer,
} from './server.ts';

/*
 * What a test does to a running server past its doors.
 */

/** What a test may do to grants and ask of their tokens. */
export function grantLevers(
  server: AuthorizationServer,
): Pick<
  Emulator,
  'issueGrant' | 'describe' | 'isAccessTokenAlive' | 'isRefreshTokenHonoured' | 'revokeGrant'
> {
  return {
    issueGrant: (request) => issueGrant(server, request),
    describe: () => describeGrants(server),
    isAccessTokenAlive: (token) =>
      server.accessTokens.findAlive(fingerprint(token), server.clock.now()) !== undefined,
    isRefreshTokenHonoured(token) {
      const known = lookUpRefreshToken(server, token);
      return known !== undefined && verdictOn(server, known) === 'honoured';
    },
    revokeGrant(grantId, { accessTokens = true } = {}) {
      const grant = server.grants.find(grantId);
      if (grant === undefined) throw new TypeError(`the emulator has no grant ${grantId}`);
      endGrant(server, grant, 'revoked', accessTokens);
    },
  };
}

/** What a test may do to clients. */
export function clientLevers(
  server: AuthorizationServer,
): Pick<
  Emulator,
  'registerClient' | 'resetClientSecret' | 'setClientSecret' | 'expireClientSecret'
> {
  const setClientSecret = (clientId: string, secret: string): void => {
    const client = server.clients.find(clientId);
    client.clientSecret = secret;
    client.secretExpiresAt = undefined;
  };
  return {
    registerClient: (client) => {
      server.clients.register(client);
    },
    setClientSecret,
    resetClientSecret(clientId) {
      const secret = `${randomText(server, 24)}~reset`;
      setClientSecret(clientId, secret);
      return secret;
    },
    expireClientSecret(clientId) {
      server.clients.find(clientId).secretExpiresAt = server.clock.now();
    },
  };
}

/** What a test may do as a person, or to one. */
export function personLevers(
  server: AuthorizationServer,
): Pick<Emulator, 'revokeUser' | 'disableUser' | 'withdrawConsent' | 'signInAs' | 'decideDevice'> {
  return {
    revokeUser(username, { accessTokens = false } = {}) {
      server.users.find(username).tokensValidFromAt = server.clock.now();
      const grants = server.grants.all().filter((grant) => grant.username === username);
      for (const grant of grants) endGrant(server, grant, 'user-revoked', accessTokens);
    },
    disableUser(username, disabled = true) {
      server.users.find(username).disabled = disabled;
    },
    withdrawConsent(username, clientId) {
      server.users.find(username).consents.delete(clientId);
      server.clients.find(clientId).preconsented = [];
    },
    signInAs(username) {
      if (username !== undefined) server.users.find(username);
      server.autoSignIn = username;
    },
    decideDevice(userCode, decision) {
      const devices = [...server.authorizations.devices.values()];
      const device = devices.find((each) => each.userCode === userCode);
      if (device === undefined) throw new TypeError(`no device waits with the code ${userCode}`);
      device.decision =
        decision === 'deny' ? 'deny' : { username: server.users.find(decision.user).username };
    },
  };
}
