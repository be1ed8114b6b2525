import { expect, it } from 'vitest';
import { problemOf } from '../../../../src/daemon/api/problem.ts';
import { apiError } from '../../../../src/daemon/proxy/failure.ts';
import { StreamingError, type StreamingFailure } from '../../../../src/system/streaming.ts';

it.each<[StreamingFailure, number, string, string]>([
  ['unsendable', 400, 'ERR_ARGUMENT', 'the request must be changed'],
  ['forbidden', 403, 'ERR_ORIGIN_NOT_ALLOWED', 'the request must be changed'],
  ['unreachable', 502, 'ERR_API_UNREACHABLE', 'wait and try again'],
  ['timeout', 504, 'ERR_DEADLINE', 'wait and try again'],
  ['broken', 502, 'ERR_API_UNREACHABLE', 'wait and try again'],
  ['invalid', 502, 'ERR_RESPONSE_INVALID', 'the server broke the protocol'],
])('a call that failed as %s is told whose fault that is', (failure, status, code, title) => {
  const error = apiError(new StreamingError(failure, 'E_CODE'), 'https://api.example');
  expect(problemOf(error)).toMatchObject({ status, code, title });
});
