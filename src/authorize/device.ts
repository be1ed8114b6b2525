import { AuthorizationRequiredError, ConfigurationError } from '../errors.ts';
import type { ConsentPrompt } from '../keeper-api.ts';
import { deviceCodeGrant } from '../oauth/grants.ts';
import type { FailedOutcome } from '../oauth/outcome-error.ts';
import type { TokenResponse } from '../oauth/outcome.ts';
import type { Secret } from '../secret.ts';
import { authorizeDevice } from './device-authorization.ts';
import { signInError } from './failure.ts';
import { readIdToken } from './id-token.ts';
import {
  describeObtained,
  type AuthorizeDeps,
  type Obtained,
  type ObtainRequest,
} from './obtained.ts';
import { requestTokens } from './token-request.ts';
import { pause } from './wait.ts';

/** A sign-in at another device. */
export interface DeviceRequest extends ObtainRequest {
  /** How the person is shown the code; it must offer `deviceCode`. */
  readonly prompt: ConsentPrompt;
}

/** How to ask whether the person has decided. */
interface Polling {
  readonly deviceCode: Secret;
  readonly intervalMs: number;
  /** When the code expires, on the monotonic clock. */
  readonly endsAt: number;
}

const SLOW_DOWN_MS = 5_000;
const LONGEST_INTERVAL_MS = 60_000;

const DECLINED: ReadonlySet<string> = new Set(['access_denied', 'authorization_declined']);
const EXPIRED: ReadonlySet<string> = new Set([
  'expired_token',
  'code_expired',
  'bad_verification_code',
]);

/**
 * Obtains tokens by a sign-in at another device: shows a code, then asks the server until the person has decided or the code has expired
 * by the local clock.
 *
 * @throws {@link AuthorizationRequiredError} `ERR_AUTHORIZATION_DENIED` when the person declined, `ERR_AUTHORIZATION_FAILED` when the
 * code expired.
 * @throws {@link ClientRejectedError} when the client or the request is refused.
 * @throws {@link ServerUnavailableError} when the server cannot be used now.
 * @throws {@link ConfigurationError} when the provider has no device authorization endpoint, or the prompt cannot show a code.
 * @see RFC 8628
 */
export async function obtainByDevice(
  deps: AuthorizeDeps,
  request: DeviceRequest,
): Promise<Obtained> {
  deps.signal?.throwIfAborted();
  const { prompt, profile, clientId, scopes: requested } = request;
  if (prompt.deviceCode === undefined) {
    const message = 'the prompt cannot show a device code; give it a deviceCode function';
    throw new ConfigurationError('ERR_ARGUMENT', message);
  }
  const begun = { wall: deps.clock.now(), monotonic: deps.clock.monotonic() };
  const { deviceCode, intervalMs, lifeMs, ...shown } = await authorizeDevice(deps, request);
  await prompt.deviceCode({ ...shown, expiresAt: begun.wall + lifeMs });
  const polling = { deviceCode, intervalMs, endsAt: begun.monotonic + lifeMs };
  const { tokens, sentAt } = await poll(deps, request, polling);
  const expected = { profile, clientId, nonce: undefined };
  const { subject, warnings } = await readIdToken(deps, expected, tokens.idToken);
  return describeObtained({
    beginning: 'device_code',
    tokens,
    sentAt,
    requested,
    subject,
    warnings,
  });
}

async function poll(
  deps: AuthorizeDeps,
  request: ObtainRequest,
  { deviceCode, intervalMs, endsAt }: Polling,
): Promise<{ readonly tokens: TokenResponse; readonly sentAt: number }> {
  let pace: Pace = { intervalMs, waitMs: intervalMs };
  for (;;) {
    if (deps.clock.monotonic() + pace.waitMs >= endsAt) throw expired();
    await pause(deps, pace.waitMs);
    const { outcome, sentAt } = await requestTokens(deps, request, deviceCodeGrant({ deviceCode }));
    if (outcome.kind === 'refreshed') return { tokens: outcome.tokens, sentAt };
    const next = nextPace(outcome, pace.intervalMs);
    if (next === undefined) throw endOfPolling(outcome, deps.clock.now());
    pace = next;
  }
}

interface Pace {
  readonly intervalMs: number;
  readonly waitMs: number;
}

/**
 * The pace after an answer without tokens: `slow_down` slows it down for good, a lost answer doubles it; undefined ends the polling.
 *
 * @see RFC 8628 section 3.5
 */
function nextPace(outcome: FailedOutcome, intervalMs: number): Pace | undefined {
  if (outcome.kind === 'throttled') {
    const isTooFast = outcome.refusal.error === 'slow_down';
    const slower = isTooFast ? intervalMs + SLOW_DOWN_MS : intervalMs;
    return { intervalMs: slower, waitMs: Math.max(slower, outcome.retryAfterMs ?? 0) };
  }
  const isLost =
    outcome.kind === 'not_sent' ||
    (outcome.kind === 'ambiguous' && (outcome.answer === undefined || outcome.answer === 'failed'));
  if (!isLost) return undefined;
  const doubled = Math.max(intervalMs, Math.min(intervalMs * 2, LONGEST_INTERVAL_MS));
  return { intervalMs: doubled, waitMs: doubled };
}

function endOfPolling(outcome: FailedOutcome, nowMs: number): Error {
  const error = signInError(outcome, nowMs);
  const { refusal } = error;
  if (refusal?.error === undefined) return error;
  if (EXPIRED.has(refusal.error)) return expired();
  if (!DECLINED.has(refusal.error)) return error;
  const message = 'the sign-in was declined; start over and consent, or ask an administrator';
  return new AuthorizationRequiredError('ERR_AUTHORIZATION_DENIED', message, { refusal });
}

function expired(): AuthorizationRequiredError {
  const message = 'nobody entered the code before it expired; start over';
  return new AuthorizationRequiredError('ERR_AUTHORIZATION_FAILED', message);
}
