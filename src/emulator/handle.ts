import type { GrantDescription } from './describe-grants.ts';
import type { Faults } from './faults/fault.ts';
import type { GrantRequest, IssuedGrant } from './issue-grant.ts';
import type { Ledger } from './ledger.ts';
import type { EmulatorClient } from './options.ts';
import type { MovableClock } from './movable-clock.ts';

/** Where an emulator can be reached. */
export interface EmulatorEndpoints {
  /** Scheme, host and port of the authorization server. */
  readonly origin: string;
  /** As in the discovery document, which lies below it. */
  readonly issuer: string;
  /** Takes POST of a form. */
  readonly tokenEndpoint: string;
  /** Where a browser is sent. */
  readonly authorizationEndpoint: string;
  /** Begins the device flow. */
  readonly deviceAuthorizationEndpoint: string;
  /** The public keys. */
  readonly jwksUri: string;
  /** Base URL of the API, without a trailing slash; another origin than the authorization server. */
  readonly apiBase: string;
}

/** A running emulator of Microsoft Entra ID and of PerspioTalk, on loopback, for tests and trials. */
export interface Emulator extends EmulatorEndpoints, AsyncDisposable {
  /** Base URL of the control API, without a trailing slash. */
  readonly controlUrl: string;
  /** The throw-away authority in PEM; undefined without TLS. */
  readonly caCertificate: string | undefined;
  /** The record of every request. */
  readonly ledger: Ledger;
  /** Where to say what goes wrong. */
  readonly faults: Faults;
  /** The time the emulator goes by. */
  readonly clock: MovableClock;
  /** Grants and issues tokens as if `user` had signed in; leaves no trace in the ledger. */
  issueGrant(request?: GrantRequest): Promise<IssuedGrant>;
  /** Every grant, oldest first. */
  describe(): GrantDescription[];
  /** Whether the API would accept this access token now. */
  isAccessTokenAlive(token: string): boolean;
  /** Whether the token endpoint would honour this refresh token now. */
  isRefreshTokenHonoured(token: string): boolean;
  /** Moves the user's valid-from time: all refresh tokens die with 50173. Access tokens live on, as at Entra, unless told otherwise. */
  revokeUser(user: string, options?: { readonly accessTokens?: boolean }): void;
  /** Ends one family, access tokens included unless told otherwise. */
  revokeGrant(grantId: string, options?: { readonly accessTokens?: boolean }): void;
  /** Disables an account, or enables it again: 50057. */
  disableUser(user: string, disabled?: boolean): void;
  /** Takes back every consent for a client, the administrator's included: 65001. */
  withdrawConsent(user: string, clientId: string): void;
  /** Replaces the secret by a new one, which is returned; the old one stops at once. */
  resetClientSecret(clientId: string): string;
  /** Sets the secret; the old one stops at once. */
  setClientSecret(clientId: string, secret: string): void;
  /** Lets the secret expire now: 7000222. */
  expireClientSecret(clientId: string): void;
  /** Adds a client, or replaces the one of the same id. */
  registerClient(client: EmulatorClient): void;
  /** From now on grants authorize and device requests to this user at once; undefined shows the page again. */
  signInAs(user: string | undefined): void;
  /** Answers a device request as the person at the page would. */
  decideDevice(userCode: string, decision: { readonly user: string } | 'deny'): void;
  /** Stops listening and closes every connection, held ones included. */
  close(): Promise<void>;
}
