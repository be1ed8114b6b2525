import { ConfigurationError, ResponseInvalidError, ServerUnavailableError } from '../../errors.ts';
import { StreamingError } from '../../system/streaming.ts';

/** What came between us and an API, for the caller. What is no failure of the exchange is handed back as it is. */
export function apiError(error: unknown, origin: string): unknown {
  if (!(error instanceof StreamingError)) return error;
  const { message: code } = error;
  switch (error.failure) {
    case 'unsendable':
      return new ConfigurationError(
        'ERR_ARGUMENT',
        `the request cannot be sent to ${origin} as it is (${code}); nothing was sent`,
      );
    case 'forbidden':
      return new ConfigurationError(
        'ERR_ORIGIN_NOT_ALLOWED',
        `the name of ${origin} leads to a private address; an API in a private network is given by its address`,
      );
    case 'unreachable':
      return unavailable(`${origin} cannot be reached (${code}); nothing was sent`);
    case 'timeout':
      return new ServerUnavailableError(
        'ERR_DEADLINE',
        `${origin} did not answer in time; whether it did what was asked is not known`,
      );
    case 'broken':
      return unavailable(
        `the connection to ${origin} broke (${code}); whether it did what was asked is not known`,
      );
    case 'invalid':
      return new ResponseInvalidError(
        'ERR_RESPONSE_INVALID',
        `the answer of ${origin} breaks the protocol (${code})`,
      );
  }
}

/** The API asked to wait, and that is not over. */
export function throttledError(
  connection: string,
  until: number,
  now: number,
): ServerUnavailableError {
  const seconds = Math.ceil((until - now) / 1_000);
  return new ServerUnavailableError(
    'ERR_API_THROTTLED',
    `the API asked to wait; ${String(seconds)} seconds are left, and nothing was sent`,
    { connection, retryAt: until },
  );
}

function unavailable(message: string): ServerUnavailableError {
  return new ServerUnavailableError('ERR_API_UNREACHABLE', message);
}
