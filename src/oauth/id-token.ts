import type { JSONWebKeySet } from 'jose';
import { ResponseInvalidError } from '../errors.ts';

/** Claims about a person and a sign-in. @see OpenID Connect Core section 2 */
export interface IdTokenClaims {
  /** Who issued the token. */
  readonly iss?: string;
  /** Who signed in, as the issuer names them. */
  readonly sub?: string;
  /** Whom the token is for: client ids. */
  readonly aud?: string | readonly string[];
  /** Expiry in seconds since the epoch. */
  readonly exp?: number;
  /** Instant of issue in seconds since the epoch. */
  readonly iat?: number;
  /** Any other claim. */
  readonly [claim: string]: unknown;
}

/** What {@link verifyIdToken} holds a token against. */
export interface VerifyIdTokenOptions {
  /** The issuer's keys, as its `jwks_uri` serves them. */
  readonly jwks: JSONWebKeySet;
  /** Must equal `iss`. */
  readonly issuer: string;
  /** Must be in `aud`, and be `azp` where the token is for several. */
  readonly clientId: string;
  /** Wall time in epoch milliseconds. */
  readonly nowMs: number;
  /** Tolerance for clocks that differ, in milliseconds; one minute by default. */
  readonly toleranceMs?: number;
}

// Signatures that a public key can verify. A symmetric one would let the client's secret forge sign-ins, `none` anybody.
const ALGORITHMS = ['RS', 'PS', 'ES'].flatMap((kind) =>
  [256, 384, 512].map((n) => kind + String(n)),
);

/**
 * Reads the claims of an id token without verifying anything: good for showing a person whose token it is, never for letting anybody in.
 *
 * @throws {@link ResponseInvalidError} when it is no signed JSON Web Token.
 * @see RFC 7519 section 7.2
 */
export function decodeIdToken(idToken: string): IdTokenClaims {
  const parts = typeof idToken === 'string' ? idToken.split('.') : [];
  if (parts.length !== 3) throw invalid('is no signed JSON Web Token of three parts');
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
  } catch {
    throw invalid('has claims that are not JSON');
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    throw invalid('has claims that are no JSON object');
  return claims as IdTokenClaims;
}

/**
 * Verifies the signature of an id token and that it was issued by this issuer, for this client, and holds now.
 *
 * @throws {@link ResponseInvalidError} that names what does not hold.
 * @see OpenID Connect Core section 3.1.3.7
 */
export async function verifyIdToken(
  idToken: string,
  options: VerifyIdTokenOptions,
): Promise<IdTokenClaims> {
  const claims = decodeIdToken(idToken);
  const { compactVerify, createLocalJWKSet } = await import('jose');
  try {
    await compactVerify(idToken, createLocalJWKSet(options.jwks), {
      algorithms: [...ALGORITHMS, 'EdDSA', 'Ed25519'],
    });
  } catch (cause) {
    throw invalid('is not signed by a key of its issuer', cause);
  }
  const fault = claimFault(claims, options);
  if (fault !== undefined) throw invalid(fault);
  return claims;
}

function claimFault(claims: IdTokenClaims, options: VerifyIdTokenOptions): string | undefined {
  const { issuer, clientId, nowMs, toleranceMs = 60_000 } = options;
  const audience = [claims.aud].flat();
  const instant = (claim: string): number => {
    const value = claims[claim];
    return typeof value === 'number' ? value * 1000 : NaN;
  };
  if (claims.iss !== issuer) return 'was issued by somebody else (iss)';
  if (typeof claims.sub !== 'string' || claims.sub === '') return 'names nobody (sub)';
  if (!audience.includes(clientId)) return 'is for another client (aud)';
  const authorizedParty = claims['azp'] ?? (audience.length === 1 ? clientId : undefined);
  if (authorizedParty !== clientId) return 'was issued to another client (azp)';
  if (!(instant('exp') > nowMs - toleranceMs)) return 'has expired (exp)';
  if (!(instant('iat') < nowMs + toleranceMs)) return 'was issued in the future (iat)';
  if (claims['nbf'] !== undefined && !(instant('nbf') <= nowMs + toleranceMs))
    return 'does not hold yet (nbf)';
  return undefined;
}

function invalid(fault: string, cause?: unknown): ResponseInvalidError {
  const details = cause === undefined ? {} : { cause };
  return new ResponseInvalidError('ERR_RESPONSE_INVALID', `the id token ${fault}`, details);
}
