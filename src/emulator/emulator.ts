import { randomText } from './server.ts';
import { createControlApi } from './control-api.ts';
import { describeGrants } from './describe-grants.ts';
import { createFaultPlan } from './faults/fault-plan.ts';
import { fingerprint } from './fingerprint.ts';
import { issueGrant } from './issue-grant.ts';
import { createLedger } from './ledger.ts';
import { startListeners } from './listeners.ts';
import type { Emulator } from './handle.ts';
import type { EmulatorOptions } from './options.ts';
import {
  createServerState,
  endGrant,
  issuerOf,
  lookUpRefreshToken,
  verdictOn,
  type AuthorizationServer,
} from './server.ts';
import { movableClock, resolveSettings } from './settings.ts';

export type { GrantDescription } from './describe-grants.ts';
export type * from './faults/fault.ts';
export type { Emulator } from './handle.ts';
export type { GrantRequest, IssuedGrant } from './issue-grant.ts';
export type { EndpointName, Ledger, LedgerEntry, LedgerFilter } from './ledger.ts';
export type * from './options.ts';
export type { MovableClock } from './settings.ts';

/**
 * Starts an emulator on loopback.
 *
 * @throws RangeError or TypeError for an option that cannot be used; the system's error when a port is taken.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = resolveSettings(options);
  const clock = movableClock(settings.clock);
  const server = createServerState(settings, clock);
  const ledger = createLedger();
  const faults = createFaultPlan();
  const closing = new AbortController();
  const service = { server, ledger, faults, closing: closing.signal };
  const control = createControlApi();
  const listeners = await startListeners(service, control.handle);
  server.origin = listeners.origin;
  server.apiOrigin = listeners.apiOrigin;
  const close = async (): Promise<void> => {
    closing.abort();
    faults.release();
    await listeners.close();
  };
  const emulator: Emulator = {
    ...endpointsOf(server),
    controlUrl: `${server.origin}/_emulator`,
    caCertificate: listeners.caCertificate,
    ledger,
    faults,
    clock,
    ...grantMethods(server),
    ...clientMethods(server),
    ...personMethods(server),
    close,
    [Symbol.asyncDispose]: close,
  };
  control.serve(emulator);
  return emulator;
}

function endpointsOf(
  server: AuthorizationServer,
): Pick<
  Emulator,
  | 'origin'
  | 'issuer'
  | 'tokenEndpoint'
  | 'authorizationEndpoint'
  | 'deviceAuthorizationEndpoint'
  | 'jwksUri'
  | 'apiBase'
> {
  const directory = `${server.origin}/${server.settings.entraTenantId}`;
  return {
    origin: server.origin,
    issuer: issuerOf(server),
    tokenEndpoint: `${directory}/oauth2/v2.0/token`,
    authorizationEndpoint: `${directory}/oauth2/v2.0/authorize`,
    deviceAuthorizationEndpoint: `${directory}/oauth2/v2.0/devicecode`,
    jwksUri: `${directory}/discovery/v2.0/keys`,
    apiBase: server.apiOrigin,
  };
}

function grantMethods(
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

function clientMethods(
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

function personMethods(
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
