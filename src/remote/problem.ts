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
  type ErrorDetails,
  type ServerRefusal,
} from '../errors.ts';

/*
 * From a problem back to the error that it describes, so that a caller cannot tell whether the keeper is in its own process.
 */

type ErrorClass = new (code: ErrorCode, message: string, details?: ErrorDetails) => EvergrantError;

const CLASSES: Readonly<Record<string, ErrorClass>> = {
  AccessRefusedError,
  AuthorizationRequiredError,
  ClientRejectedError,
  ConfigurationError,
  NotFoundError,
  OutcomeUncertainError,
  ResponseInvalidError,
  ServerUnavailableError,
  StoreError,
};

interface ProblemOnWire {
  readonly kind: string;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly connection?: string;
  readonly refusal?: ServerRefusal;
  readonly retryAt?: number;
  readonly holder?: string;
  readonly since?: number;
}

/** The error that a daemon's answer tells of. */
export function errorOfProblem(status: number, body: unknown): Error {
  if (!isProblem(body)) {
    return new ServerUnavailableError(
      'ERR_DAEMON_UNREACHABLE',
      `what answers with ${String(status)} there is no daemon of evergrant; look at the address`,
    );
  }
  const { kind, code, detail, connection, refusal, retryAt, holder, since } = body;
  const details = {
    ...(connection !== undefined && { connection }),
    ...(refusal !== undefined && { refusal }),
  };
  if (kind === 'RefreshBlockedError')
    return new RefreshBlockedError(detail, { ...details, holder: holder ?? '', since: since ?? 0 });
  if (kind === 'ServerUnavailableError')
    return new ServerUnavailableError(code, detail, { ...details, retryAt });
  const found = Object.hasOwn(CLASSES, kind) ? CLASSES[kind] : undefined;
  if (found !== undefined) return new found(code, detail, details);
  return kind === 'EvergrantError' ? new EvergrantError(code, detail, details) : new Error(detail);
}

function isProblem(body: unknown): body is ProblemOnWire {
  if (typeof body !== 'object' || body === null) return false;
  const { kind, code, detail } = body as Partial<Record<string, unknown>>;
  return [kind, code, detail].every((member) => typeof member === 'string');
}
