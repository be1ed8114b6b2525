import {
  AccessRefusedError,
  AuthorizationRequiredError,
  ClientRejectedError,
  ConfigurationError,
  EvergrantError,
  NotFoundError,
  OutcomeUncertainError,
  RefreshBlockedError,
  ResponseInvalidError,
  ServerUnavailableError,
  StoreError,
  type ErrorCode,
} from '../../errors.ts';
import { BodyError } from '../http/body.ts';

/*
 * Errors as programs in any language read them: RFC 9457, with the codes of docs/errors.md.
 */

/** Media type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json';

/** A problem. @see RFC 9457 section 3.1 */
export interface Problem {
  /** Names the kind of problem, by its code. */
  readonly type: string;
  /** Who must act, in words. */
  readonly title: string;
  /** HTTP status. */
  readonly status: number;
  /** The fact and the next step. */
  readonly detail: string;
  /** Code of docs/errors.md; `ERR_FAULT` for a defect of evergrant. */
  readonly code: ErrorCode | 'ERR_FAULT';
  /** Class of docs/errors.md. */
  readonly kind: string;
  /** Name of the connection concerned. */
  readonly connection?: string;
  /** When the next request is allowed, epoch milliseconds. */
  readonly retryAt?: number;
  /** What the authorization server said. */
  readonly refusal?: EvergrantError['refusal'];
  /** Who holds the refresh. */
  readonly holder?: string;
  /** Since when, epoch milliseconds. */
  readonly since?: number;
}

type ErrorClass = abstract new (...details: never[]) => EvergrantError;

/** Status and title of each class; the first that fits counts. */
const CLASSES: readonly (readonly [ErrorClass, number, string])[] = [
  [ConfigurationError, 400, 'the request must be changed'],
  [AccessRefusedError, 403, 'the caller may not do that'],
  [NotFoundError, 404, 'there is no such thing'],
  [AuthorizationRequiredError, 409, 'a person must consent again'],
  [ClientRejectedError, 409, 'the operator must repair the client or the request'],
  [OutcomeUncertainError, 409, 'the outcome of a request is uncertain'],
  [ServerUnavailableError, 503, 'wait and try again'],
  [RefreshBlockedError, 503, 'another process holds the refresh'],
  [ResponseInvalidError, 502, 'the server broke the protocol'],
  [StoreError, 503, 'the store cannot be used'],
];

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  ERR_ACCESS_REFUSED: 401,
  ERR_ORIGIN_NOT_ALLOWED: 403,
  ERR_API_THROTTLED: 429,
  ERR_API_UNREACHABLE: 502,
  ERR_RATE_EXCEEDED: 429,
  ERR_CALLS_EXCEEDED: 429,
  ERR_CONNECTION_EXISTS: 409,
  ERR_CONSENT_LATE: 409,
  ERR_KEEPER_CLOSED: 503,
  ERR_DEADLINE: 504,
  ERR_STORE_FULL: 507,
};

/** Describes an error. What evergrant never throws on purpose is told by nothing but that. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof EvergrantError)) {
    const detail = 'an unexpected fault; the log of the daemon tells more';
    return { ...problem(500, 'ERR_FAULT', 'a defect of evergrant', detail), kind: 'Error' };
  }
  const found = CLASSES.find(([one]) => error instanceof one);
  const [, byClass, title] = found ?? [EvergrantError, 500, 'an error'];
  const status = error instanceof BodyError ? error.status : (BY_CODE[error.code] ?? byClass);
  return {
    ...problem(status, error.code, title, error.message),
    kind: error instanceof BodyError ? 'ConfigurationError' : error.name,
    ...(error.connection !== undefined && { connection: error.connection }),
    ...(error.refusal !== undefined && { refusal: error.refusal }),
    ...(error instanceof ServerUnavailableError &&
      error.retryAt !== undefined && { retryAt: error.retryAt }),
    ...(error instanceof RefreshBlockedError && { holder: error.holder, since: error.since }),
  };
}

/** A problem of the request's shape or address. */
export function requestProblem(status: number, detail: string): Problem {
  const title = 'the request must be changed';
  return { ...problem(status, 'ERR_ARGUMENT', title, detail), kind: 'ConfigurationError' };
}

/** Fields that go with a problem's status. */
export function problemHeaders({ status, retryAt }: Problem, now: number): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Bearer' };
  if (retryAt === undefined) return {};
  return { 'retry-after': String(Math.max(1, Math.ceil((retryAt - now) / 1_000))) };
}

function problem(
  status: number,
  code: Problem['code'],
  title: string,
  detail: string,
): Omit<Problem, 'kind'> {
  return { type: `urn:evergrant:${code}`, title, status, detail, code };
}
