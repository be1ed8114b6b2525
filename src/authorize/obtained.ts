import type { ClientAuthentication, TokenResponse } from '../oauth/outcome.ts';
import type { Beginning, Subject } from '../connection/record.ts';
import type { Profile } from '../providers/profile.ts';
import type { Clock } from '../system/clock.ts';
import type { Http } from '../system/http.ts';
import type { Random } from '../system/random.ts';
import { missingScope } from '../oauth/scope.ts';

/** What every way to obtain tokens needs from outside. */
export interface AuthorizeDeps {
  /** Time. */
  readonly clock: Clock;
  /** Source of state, PKCE verifier and nonce. */
  readonly random: Random;
  /** The way to the authorization server. */
  readonly http: Http;
  /** Ends the attempt; its reason is what the attempt rejects with. */
  readonly signal?: AbortSignal | undefined;
}

/** What every way to obtain tokens asks for. */
export interface ObtainRequest {
  /** The authorization server. */
  readonly profile: Profile;
  /** RFC 6749 section 2.2. */
  readonly clientId: string;
  /** RFC 6749 section 2.3. */
  readonly authentication: ClientAuthentication;
  /** Decoded scope tokens, already checked against the grammar. */
  readonly scopes: readonly string[];
}

/** Tokens just obtained, and what is known about them. Nothing of it is stored yet. */
export interface Obtained {
  /** As the server answered. */
  readonly tokens: TokenResponse;
  /** Wall time just before the token request left, from which lives count. */
  readonly sentAt: number;
  /** The account, where an id token tells. */
  readonly subject: Subject | undefined;
  /** Scopes asked for. */
  readonly requested: readonly string[];
  /** Scopes granted; equal to `requested` where the server did not say. */
  readonly granted: readonly string[];
  /** What somebody should know, in words that hold no secret. */
  readonly warnings: readonly string[];
}

/**
 * Whether these tokens should have come with a refresh token: always when `offline_access` was asked for, and else when a person's
 * consent brought an access token that ends. A connection that lacks an expected one needs attention at once
 * (`ERR_REFRESH_TOKEN_MISSING`).
 *
 * @see RFC 6749 sections 1.5 and 4.4.3
 */
export function expectedRefreshToken(
  beginning: Beginning,
  obtained: Pick<Obtained, 'tokens' | 'requested'>,
): boolean {
  if (beginning === 'client_credentials') return false;
  if (obtained.requested.includes('offline_access')) return true;
  return obtained.tokens.accessLifeMs !== undefined;
}

/** Puts together what was obtained and what is odd about it. */
export function describeObtained(options: {
  readonly beginning: Beginning;
  readonly tokens: TokenResponse;
  readonly sentAt: number;
  readonly requested: readonly string[];
  readonly subject: Subject | undefined;
  readonly warnings: readonly string[];
}): Obtained {
  const { beginning, tokens, sentAt, requested, subject } = options;
  const granted = tokens.scope ?? requested;
  const warnings = [...tokens.warnings, ...options.warnings];
  const missing = missingScope(requested, granted).filter((scope) => !scope.endsWith('/.default'));
  if (missing.length > 0) warnings.push(`asked for but not granted: ${missing.join(' ')}`);
  if (tokens.refreshToken === undefined && expectedRefreshToken(beginning, { tokens, requested })) {
    warnings.push(whyNoRefreshToken(requested));
  }
  return { tokens, sentAt, subject, requested, granted, warnings };
}

function whyNoRefreshToken(requested: readonly string[]): string {
  const consequence = 'no refresh token came, so the connection ends with its access token';
  return requested.includes('offline_access')
    ? `${consequence}: offline_access was asked for, but the server or its administrator did not grant it`
    : `${consequence}: offline_access, or what this server wants in its place, was not asked for`;
}
