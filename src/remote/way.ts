import { ConfigurationError } from '../errors.ts';
import type { Clock } from '../system/clock.ts';
import type { DaemonAddress } from './daemon-address.ts';

/** What all requests to one daemon share. */
export interface Way {
  /** Where it is. */
  readonly address: DaemonAddress;
  /** Time, as long as a request waits for its connection. */
  readonly clock: Clock;
  /** Aborted once nothing can be asked any more. */
  readonly closed: AbortSignal;
}

/** @throws {@link ConfigurationError} `ERR_KEEPER_CLOSED` once it is closed. */
export function assertOpen({ closed }: Way): void {
  if (closed.aborted) throw closedError();
}

/** What is told to whoever asks, or still waits, when nothing can be asked any more. */
export function closedError(): ConfigurationError {
  return new ConfigurationError('ERR_KEEPER_CLOSED', 'this keeper is closed; open another');
}
