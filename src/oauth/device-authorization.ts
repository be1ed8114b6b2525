import { Secret } from '../secret.ts';
import { readMembers, type Answer } from './answer-members.ts';
import type { FailedOutcome } from './outcome-error.ts';
import type { AnswerDialect } from './outcome.ts';
import { readTokenAnswer } from './token-answer.ts';
import { readLife } from './token-response.ts';

/** What a person at another device needs, and how to ask whether they have decided. @see RFC 8628 section 3.2 */
export interface DeviceAuthorization {
  /** Tells it from a refusal. */
  readonly kind: 'device_authorization';
  /** Given back at every poll. */
  readonly deviceCode: Secret;
  /** What the person types in. */
  readonly userCode: string;
  /** Where the person goes. */
  readonly verificationUri: string;
  /** The same with the code in it, where the server offers that. */
  readonly verificationUriComplete: string | undefined;
  /** Life of both codes in milliseconds; 15 minutes where the server does not tell. */
  readonly lifeMs: number;
  /** Least wait between two polls in milliseconds; 5 seconds where the server does not tell, never less than one. */
  readonly intervalMs: number;
}

/** A server that says 0 would be asked without a pause. */
const LEAST_INTERVAL_MS = 1_000;

/**
 * Reads the answer of a device authorization endpoint; what is no such answer is read as a token endpoint's refusal. Never throws.
 *
 * @param nowMs - wall time in epoch milliseconds, for a `Retry-After` that is a date.
 * @param secrets - what the request carried, so that an echo of it is never shown.
 */
export function readDeviceAuthorization(
  answer: Answer,
  dialect: AnswerDialect,
  nowMs: number,
  secrets: readonly Secret[] = [],
): DeviceAuthorization | FailedOutcome {
  const members = readMembers(answer)?.members;
  const text = (name: string): string | undefined => {
    const value = members?.get(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const deviceCode = text('device_code');
  const userCode = text('user_code');
  const verificationUri = text('verification_uri') ?? text('verification_url');
  const hasError = text('error') !== undefined;
  if (!members || hasError || !deviceCode || !userCode || !verificationUri)
    return refusalOf(answer, dialect, nowMs, secrets);
  return {
    kind: 'device_authorization',
    deviceCode: new Secret(deviceCode),
    userCode,
    verificationUri,
    verificationUriComplete: text('verification_uri_complete'),
    lifeMs: readLife(members, 'expires_in') ?? 900_000,
    intervalMs: Math.max(LEAST_INTERVAL_MS, readLife(members, 'interval') ?? 5_000),
  };
}

function refusalOf(
  answer: Answer,
  dialect: AnswerDialect,
  nowMs: number,
  secrets: readonly Secret[],
): FailedOutcome {
  const outcome = readTokenAnswer(answer, dialect, nowMs, secrets);
  if (outcome.kind !== 'refreshed') return outcome;
  const reason = 'the device authorization endpoint answered with tokens';
  const { status, body } = answer;
  return { kind: 'ambiguous', reason, status, retryAfterMs: undefined, body, answer: 'unreadable' };
}
