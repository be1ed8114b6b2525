import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';
import * as answers from '../talk-api/answers.ts';
import type { ApiFault, FaultDefinition } from './fault.ts';
import { retryAfterText } from './retry-after.ts';
import type { Strike } from './strike.ts';

const kinds: ReadonlySet<string> = new Set<ApiFault['kind']>([
  'api-key-missing',
  'api-key-invalid',
  'token-rejected',
  'quota-exceeded',
  'rate-limited',
  'claims-challenge',
]);

const defaultClaims = '{"access_token":{"acrs":{"essential":true,"value":"cp1"}}}';

/** Whether a fault is one of the API. */
export function isApiFault(fault: FaultDefinition): fault is ApiFault {
  return kinds.has(fault.kind);
}

/** What a fault of the API or its gateway does; the API never sees the request. */
export function apiStrike(fault: ApiFault): Strike {
  return { commits: false, answer: (_given, exchange) => answerFor(fault, exchange) };
}

function answerFor(fault: ApiFault, { server }: Exchange): Answer {
  switch (fault.kind) {
    case 'api-key-missing':
      return answers.keyMissing();
    case 'api-key-invalid':
      return answers.keyInvalid();
    case 'token-rejected':
      return answers.tokenRejected();
    case 'quota-exceeded':
      return answers.quotaExceeded(retryAfterText(fault.retryAfter ?? 60, server.clock.now()));
    case 'rate-limited':
      return answers.rateLimited(retryAfterText(fault.retryAfter ?? 60, server.clock.now()));
    case 'claims-challenge':
      return answers.claimsChallenge(
        `${server.origin}/${server.settings.entraTenantId}/oauth2/v2.0/authorize`,
        fault.claims ?? defaultClaims,
      );
  }
}
