import { Secret } from '../secret.ts';
import { readMembers, type Answer, type AnswerMembers } from './answer-members.ts';
import type { AnswerDialect, Refusal, TokenOutcome } from './outcome.ts';
import { readRefusal } from './refusal.ts';
import { parseRetryAfter } from './retry-after.ts';
import { readTokens } from './token-response.ts';

type RefusalKind =
  'throttled' | 'ambiguous' | 'grant_refused' | 'client_refused' | 'request_refused';

const KIND_BY_ERROR: ReadonlyMap<string, RefusalKind> = new Map([
  ['temporarily_unavailable', 'throttled'],
  ['authorization_pending', 'throttled'],
  ['slow_down', 'throttled'],
  ['server_error', 'ambiguous'],
  ['invalid_grant', 'grant_refused'],
  ['interaction_required', 'grant_refused'],
  ['login_required', 'grant_refused'],
  ['consent_required', 'grant_refused'],
  ['account_selection_required', 'grant_refused'],
  ['access_denied', 'grant_refused'],
  ['authorization_declined', 'grant_refused'],
  ['expired_token', 'grant_refused'],
  ['code_expired', 'grant_refused'],
  ['bad_verification_code', 'grant_refused'],
  ['invalid_client', 'client_refused'],
  ['invalid_request', 'request_refused'],
  ['invalid_scope', 'request_refused'],
  ['invalid_target', 'request_refused'],
  ['invalid_resource', 'request_refused'],
  ['invalid_dpop_proof', 'request_refused'],
  ['unauthorized_client', 'request_refused'],
  ['unsupported_grant_type', 'request_refused'],
]);

/** What the outcome is decided from. */
interface Reading {
  readonly answer: Answer;
  readonly refusal: Refusal;
  readonly retryAfterMs: number | undefined;
  /** Whether its bytes may hold a token that nobody could read. */
  readonly mayHoldTokens: boolean;
}

/**
 * Names what a token endpoint's answer came to. Never throws, whatever the bytes are. A known `error` wins over the status; one that
 * nobody knows leaves a status of 408, 429 or 5xx its meaning, since gateways put words of their own there.
 *
 * @param nowMs - wall time in epoch milliseconds, for a `Retry-After` that is a date.
 * @param secrets - what the request carried, so that an echo of it is never shown.
 */
export function readTokenAnswer(
  answer: Answer,
  dialect: AnswerDialect,
  nowMs: number,
  secrets: readonly Secret[] = [],
): TokenOutcome {
  const read = readMembers(answer);
  const issued = read === undefined ? [] : issuedIn(read, secrets);
  const members = read?.members ?? new Map<string, unknown>();
  const unsaid = [...secrets, ...issued.map(({ token }) => token)];
  const refusal = readRefusal(answer.status, members, dialect, unsaid);
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], nowMs);
  const isUnread = read === undefined && answer.body.length > 0;
  const mayHoldTokens = isUnread || issued.length > 0;
  const reading = { answer, refusal, retryAfterMs, mayHoldTokens };
  if (refusal.error !== undefined) {
    // Such an answer may hold the only copy of a refresh token: what it is worth, a person must see.
    if (isSuccess(answer.status) && issued.some(({ name }) => name === 'refresh_token'))
      return unreadable(answer, 'it holds both an error and a refresh token', retryAfterMs);
    return namedRefusal(reading, refusal.error, dialect);
  }
  if (read === undefined) return outcomeByStatus(reading, 'it is neither a JSON object nor a form');
  const tokens = readTokens(read, dialect);
  if ('fault' in tokens) return outcomeByStatus(reading, tokens.fault);
  return { kind: 'refreshed', tokens };
}

/** The tokens that an answer brings, those left aside that the request carried. */
function issuedIn(
  { members }: AnswerMembers,
  sent: readonly Secret[],
): readonly { readonly name: string; readonly token: Secret }[] {
  return ['access_token', 'refresh_token', 'id_token'].flatMap((name) => {
    const value = members.get(name);
    if (typeof value !== 'string' || value === '') return [];
    const token = new Secret(value);
    return sent.some((secret) => secret.equals(token)) ? [] : [{ name, token }];
  });
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function namedRefusal(reading: Reading, error: string, dialect: AnswerDialect): TokenOutcome {
  const { answer, refusal, retryAfterMs } = reading;
  const isThrottle = refusal.codes.some((code) => dialect.throttleCodes?.includes(code));
  const kind = isThrottle ? 'throttled' : KIND_BY_ERROR.get(error);
  switch (kind) {
    case 'throttled':
      return { kind, retryAfterMs, refusal };
    case 'ambiguous':
      return serverFault(reading);
    case 'grant_refused':
    case 'client_refused':
    case 'request_refused':
      return { kind, refusal };
    case undefined: {
      const isStatusTelling =
        answer.status === 408 || answer.status === 429 || answer.status >= 500;
      if (isStatusTelling) return outcomeByStatus(reading, '');
      return { kind: 'request_refused', refusal };
    }
  }
}

function outcomeByStatus(reading: Reading, fault: string): TokenOutcome {
  const { answer, refusal, retryAfterMs } = reading;
  const { status } = answer;
  if (isSuccess(status)) return unreadable(answer, fault, retryAfterMs);
  if (status >= 300 && status < 400) return { kind: 'request_refused', refusal };
  if (status === 429 || (status === 503 && retryAfterMs !== undefined))
    return { kind: 'throttled', retryAfterMs, refusal };
  if (status === 408 || status < 400 || status >= 500) return serverFault(reading);
  return { kind: 'unnamed_refusal', refusal };
}

function serverFault({ answer, refusal, retryAfterMs, mayHoldTokens }: Reading): TokenOutcome {
  const said = [refusal.error, refusal.description].filter((part) => part !== undefined).join(': ');
  return {
    kind: 'ambiguous',
    reason: `the server answered ${String(answer.status)}${said === '' ? '' : ` (${said})`}`,
    status: answer.status,
    retryAfterMs,
    body: mayHoldTokens ? answer.body : undefined,
    answer: 'failed',
  };
}

function unreadable(answer: Answer, fault: string, retryAfterMs: number | undefined): TokenOutcome {
  return {
    kind: 'ambiguous',
    reason: `the server answered ${String(answer.status)} with ${String(answer.body.length)} bytes that are no token response: ${fault}`,
    status: answer.status,
    retryAfterMs,
    body: answer.body,
    answer: 'unreadable',
  };
}
