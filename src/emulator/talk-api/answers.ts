import { json, type Answer } from '../http/answer.ts';

/*
 * What API Management and PerspioTalk say when they refuse. The texts are our own: they are not stable and clients must not match them.
 */

/** 401 of the gateway: no key. */
export function keyMissing(): Answer {
  return gatewayAnswer(401, 'Access denied due to missing subscription key.');
}

/** 401 of the gateway: not the key. */
export function keyInvalid(): Answer {
  return gatewayAnswer(401, 'Access denied due to invalid subscription key.');
}

/** 429 of the gateway; `retryAfter` is the header's value. */
export function rateLimited(retryAfter: string): Answer {
  return gatewayAnswer(429, `Rate limit is exceeded. Try again in ${retryAfter} seconds.`, {
    'Retry-After': retryAfter,
  });
}

/** 403 of the gateway, which is throttling and not a lack of rights; `retryAfter` is the header's value. */
export function quotaExceeded(retryAfter: string): Answer {
  return gatewayAnswer(403, `Out of call volume quota. Try again in ${retryAfter} seconds.`, {
    'Retry-After': retryAfter,
  });
}

/** 401 of the API itself. @see RFC 6750 section 3.1 */
export function tokenRejected(): Answer {
  return gatewayAnswer(401, 'The access token is not valid.', {
    'WWW-Authenticate':
      'Bearer error="invalid_token", error_description="The access token is not valid"',
  });
}

/** 401 that asks for a token which meets `claims`, a JSON text. */
export function claimsChallenge(authorizationUri: string, claims: string): Answer {
  const encoded = Buffer.from(claims).toString('base64');
  return gatewayAnswer(401, 'More claims are needed.', {
    'WWW-Authenticate': `Bearer realm="", authorization_uri="${authorizationUri}", error="insufficient_claims", claims="${encoded}"`,
  });
}

/** Any refusal in the gateway's shape. */
export function gatewayAnswer(
  statusCode: number,
  message: string,
  headers: Answer['headers'] = {},
): Answer {
  return json(statusCode, { statusCode, message }, headers);
}
