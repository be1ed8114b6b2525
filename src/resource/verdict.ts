import { parseRetryAfter } from '../oauth/retry-after.ts';
import { parseChallenges, type Challenge } from './challenge.ts';

/** What an API's answer says about the access token and about the pace. */
export type ApiVerdict =
  /** Nothing that concerns us: the answer is the caller's. */
  | { readonly kind: 'answered' }
  /** The token is refused. `named`: the API said so itself; else a bare 401 leaves it open whether the token is meant. */
  | { readonly kind: 'token_rejected'; readonly named: boolean }
  /** The gateway refuses its own key; no token would help. */
  | { readonly kind: 'key_rejected' }
  /** Another sign-in is wanted; a refresh does not bring it. `claims` is Entra's challenge, decoded. */
  | { readonly kind: 'sign_in_wanted'; readonly error: string; readonly claims: string | undefined }
  /** The token lacks these scopes; a refresh does not bring them. */
  | { readonly kind: 'scope_insufficient'; readonly scope: string | undefined }
  /** The API asks to wait. */
  | { readonly kind: 'throttled'; readonly waitMs: number };

/** What {@link judgeAnswer} looks at. */
export interface ApiAnswer {
  /** Status code. */
  readonly status: number;
  /** Value of a header field by its name, null when absent. */
  header(name: string): string | null;
  /** The beginning of the body as text, asked for only where it decides. */
  body(): Promise<string>;
}

const DEFAULT_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 86_400_000;

const SIGN_IN_ERRORS: ReadonlySet<string> = new Set([
  'insufficient_claims',
  'insufficient_user_authentication',
  'interaction_required',
]);

/**
 * Judges an API's answer.
 *
 * @param nowMs - wall time, for a `Retry-After` that is a date.
 * @see RFC 6750 section 3.1
 * @see RFC 9470 section 3
 */
export async function judgeAnswer(answer: ApiAnswer, nowMs: number): Promise<ApiVerdict> {
  const { status } = answer;
  const retryAfter = answer.header('retry-after') ?? undefined;
  if (status === 429 || (retryAfter !== undefined && (status === 403 || status === 503))) {
    const waitMs = parseRetryAfter(retryAfter, nowMs) ?? DEFAULT_WAIT_MS;
    return { kind: 'throttled', waitMs: Math.min(waitMs, LONGEST_WAIT_MS) };
  }
  if (status !== 401 && status !== 403) return { kind: 'answered' };
  const challenges = parseChallenges(answer.header('www-authenticate'));
  const bearer = challenges.filter(({ scheme }) => scheme === 'bearer');
  if (bearer.length > 0) return judgeBearer(status, bearer);
  if (status === 403) return { kind: 'answered' };
  if (challenges.some(isGatewayKey)) return { kind: 'key_rejected' };
  if (challenges.length > 0) return { kind: 'answered' };
  if (/\bsubscription[ -]?key\b/i.test(await answer.body())) return { kind: 'key_rejected' };
  return { kind: 'token_rejected', named: false };
}

function judgeBearer(status: number, challenges: readonly Challenge[]): ApiVerdict {
  const parameters = challenges.find((one) => one.parameters.has('error'))?.parameters;
  const error = parameters?.get('error');
  if (error !== undefined && SIGN_IN_ERRORS.has(error)) {
    return { kind: 'sign_in_wanted', error, claims: decodeClaims(parameters?.get('claims')) };
  }
  if (error === 'insufficient_scope') {
    return { kind: 'scope_insufficient', scope: parameters?.get('scope') };
  }
  // A 403 is about rights: whatever it says, a newer token has no more of them.
  if (status === 403 || error === 'invalid_request') return { kind: 'answered' };
  return { kind: 'token_rejected', named: true };
}

/** Azure API Management names its key so. */
function isGatewayKey({ scheme, parameters }: Challenge): boolean {
  return (
    scheme === 'azureapimanagementkey' || /subscription-key/i.test(parameters.get('name') ?? '')
  );
}

/** Entra sends the claims as base64; other servers as they are. */
function decodeClaims(claims: string | undefined): string | undefined {
  if (claims === undefined || claims.trimStart().startsWith('{')) return claims;
  const decoded = Buffer.from(claims, 'base64').toString('utf8');
  return decoded.trimStart().startsWith('{') ? decoded : undefined;
}
