/** What an authorization request asked for, once it was found to be in order. */
export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly responseMode: string;
  readonly scope: string;
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly codeChallengeMethod: string;
  readonly loginHint: string | undefined;
}

/** A code on its way from the browser to the token endpoint. */
export interface AuthorizationCode {
  readonly request: AuthorizationRequest;
  readonly username: string;
  readonly expiresAt: number;
  redeemed: boolean;
}

/** A device that waits for a person to enter its code. */
export interface DeviceRequest {
  readonly userCode: string;
  readonly clientId: string;
  readonly scope: string;
  readonly expiresAt: number;
  decision: { readonly username: string } | 'deny' | undefined;
  redeemed: boolean;
}

/** Everything between the request for a grant and the grant. */
export interface Authorizations {
  /** Requests whose sign-in page is open, by page id. */
  readonly signIns: Map<string, AuthorizationRequest>;
  /** By fingerprint of the code. */
  readonly codes: Map<string, AuthorizationCode>;
  /** By fingerprint of the device code. */
  readonly devices: Map<string, DeviceRequest>;
}

/** Makes an empty set. */
export function createAuthorizations(): Authorizations {
  return { signIns: new Map(), codes: new Map(), devices: new Map() };
}
