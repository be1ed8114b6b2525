import {
  AccessRefusedError,
  AuthorizationRequiredError,
  ClientRejectedError,
  ConfigurationError,
  NotFoundError,
  OutcomeUncertainError,
  RefreshBlockedError,
  ResponseInvalidError,
  ServerUnavailableError,
  StoreError,
  type EvergrantError,
} from '../errors.ts';
import { Interrupted } from './interruption.ts';

/** Every exit code of the command line and what it means; docs/cli.md shows the same table. */
export const EXIT_CODES: ReadonlyMap<number, string> = new Map([
  [0, 'done'],
  [1, 'unexpected fault (a defect of evergrant)'],
  [2, 'wrong usage or configuration'],
  [3, 'no such connection, client or provider'],
  [4, 'a person must consent again'],
  [5, 'the operator must repair the client or the request'],
  [6, 'outcome uncertain'],
  [7, 'server unavailable or throttled: try later'],
  [8, 'answer broke the protocol'],
  [9, 'store missing, locked, damaged, full, too new'],
  [10, 'blocked: another process holds the refresh'],
  [130, 'interrupted by SIGINT'],
  [143, 'interrupted by SIGTERM'],
]);

type ErrorClass = abstract new (...details: never[]) => EvergrantError;

const BY_CLASS: readonly (readonly [ErrorClass, number])[] = [
  [ConfigurationError, 2],
  [AccessRefusedError, 2],
  [NotFoundError, 3],
  [AuthorizationRequiredError, 4],
  [ClientRejectedError, 5],
  [OutcomeUncertainError, 6],
  [ServerUnavailableError, 7],
  [ResponseInvalidError, 8],
  [StoreError, 9],
  [RefreshBlockedError, 10],
];

/** The exit code for whatever a command threw; 1 for what evergrant never throws on purpose. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  return BY_CLASS.find(([errorClass]) => error instanceof errorClass)?.[1] ?? 1;
}

/** The exit code for an HTTP status that an API answered: 7 where waiting helps, 5 for any other refusal, 0 below 400. */
export function exitCodeOfStatus(status: number): number {
  if (status < 400) return 0;
  return status === 429 || status >= 500 ? 7 : 5;
}
