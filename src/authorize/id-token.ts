import type { Subject } from '../connection/record.ts';
import { cleanText } from '../oauth/refusal.ts';
import type { Profile } from '../providers/profile.ts';
import type { Secret } from '../secret.ts';
import { libraryFetch } from './oauth4webapi-fetch.ts';
import type { AuthorizeDeps } from './obtained.ts';

/** What an id token was found to say. */
export interface IdTokenFinding {
  /** The account; undefined when the token cannot be believed. */
  readonly subject: Subject | undefined;
  /** What is wrong with it, in words that hold no secret. */
  readonly warnings: readonly string[];
}

/** What an id token must fit. */
export interface IdTokenExpectation {
  /** The authorization server that issued it. */
  readonly profile: Profile;
  /** Its audience. */
  readonly clientId: string;
  /** Sent with the authorization request; undefined where none was sent. */
  readonly nonce: string | undefined;
}

type Claims = Readonly<Record<string, unknown>>;

const CLOCK_SKEW_MS = 300_000;
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];

/**
 * Reads the account out of an id token. Never throws: the tokens beside it must not be lost, so it warns instead. A token
 * that came straight from the token endpoint may be believed without its signature when the keys cannot be had; it says so.
 *
 * @see OpenID Connect Core section 3.1.3.7
 */
export async function readIdToken(
  deps: AuthorizeDeps,
  expected: IdTokenExpectation,
  idToken: Secret | undefined,
): Promise<IdTokenFinding> {
  if (idToken === undefined) return { subject: undefined, warnings: [] };
  const jose = await import('jose');
  let claims: Claims;
  try {
    claims = jose.decodeJwt(idToken.reveal());
  } catch {
    return unbelievable('it is no JWT');
  }
  const fault = faultOf(claims, expected, deps.clock.now());
  if (fault !== undefined) return unbelievable(fault);
  const subject = subjectOf(claims);
  if (subject === undefined) return unbelievable('it names no subject');
  const signature = await checkSignature(jose, deps, expected.profile, idToken);
  if (signature === 'wrong') return unbelievable('its signature is wrong');
  const warnings =
    signature === 'right'
      ? []
      : ['the signature of the id token was not verified: no keys to be had'];
  return { subject, warnings };
}

function unbelievable(fault: string): IdTokenFinding {
  return { subject: undefined, warnings: [`the id token was not believed: ${fault}`] };
}

function faultOf(
  claims: Claims,
  { profile, clientId, nonce }: IdTokenExpectation,
  now: number,
): string | undefined {
  const { iss, aud, azp, exp } = claims;
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (profile.issuer !== undefined && iss !== profile.issuer) return 'another issuer made it';
  if (!audience.includes(clientId)) return 'it is meant for another client';
  if (azp !== undefined && azp !== clientId) return 'another client asked for it';
  if (nonce !== undefined && claims['nonce'] !== nonce) return 'it answers another sign-in';
  if (typeof exp !== 'number') return 'it has no expiry';
  if (exp * 1000 + CLOCK_SKEW_MS < now) return 'it has expired; is the clock right?';
  return undefined;
}

/** Entra's `oid` names a person alike to all clients; `sub` is the standard's name, there different for each. */
function subjectOf(claims: Claims): Subject | undefined {
  const text = (name: string): string | undefined => {
    const value = claims[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const id = (text('tid') === undefined ? undefined : text('oid')) ?? text('sub');
  if (id === undefined) return undefined;
  const name = ['preferred_username', 'email', 'upn', 'name'].map(text).find(Boolean);
  return { issuer: text('iss'), id, display: name === undefined ? undefined : cleanText(name) };
}

async function checkSignature(
  jose: typeof import('jose'),
  deps: AuthorizeDeps,
  profile: Profile,
  idToken: Secret,
): Promise<'right' | 'wrong' | 'unknown'> {
  if (profile.jwksUri === undefined) return 'unknown';
  let keys;
  try {
    const response = await libraryFetch(deps.http, deps.signal)(profile.jwksUri, {
      method: 'GET',
      headers: { accept: 'application/json' },
      body: undefined,
    });
    if (!response.ok) return 'unknown';
    keys = jose.createLocalJWKSet((await response.json()) as import('jose').JSONWebKeySet);
  } catch {
    return 'unknown';
  }
  try {
    await jose.compactVerify(idToken.reveal(), keys, { algorithms: ALGORITHMS });
    return 'right';
  } catch {
    return 'wrong';
  }
}
