import { fingerprint } from '../fingerprint.ts';
import type { Answer } from '../http/answer.ts';
import type { Endpoint, Exchange } from '../http/exchange.ts';
import { header } from '../http/request.ts';
import type { AuthorizationServer } from '../server.ts';
import type { AccessToken } from '../state/access-tokens.ts';
import * as answers from './answers.ts';
import { createLimitCounter, type LimitCounter } from './limits.ts';
import { createRoutes } from './routes.ts';

/** Makes the API: first the gateway's key and limits, then the token, then the route. */
export function createTalkApi(server: AuthorizationServer): Endpoint {
  const counter = createLimitCounter(server.settings.apiLimits);
  const route = createRoutes(server);
  return (exchange) => {
    const token = presentedToken(exchange);
    const answer =
      keyProblem(exchange) ??
      limitProblem(exchange, counter, token) ??
      tokenProblem(exchange, token) ??
      (token === undefined ? answers.tokenRejected() : route(exchange.request, token));
    counter.countBytes(Buffer.byteLength(answer.body), server.clock.now());
    const served = answer.status < 400;
    exchange.note({ committed: served, ...(served ? {} : { outcome: 'refused' }) });
    return answer;
  };
}

function presentedToken({ server, request, note }: Exchange): AccessToken | undefined {
  const value = /^bearer +(\S+)$/i.exec(header(request, 'authorization') ?? '')?.[1];
  if (value === undefined) return undefined;
  const presentedFingerprint = fingerprint(value);
  const token = server.accessTokens.findAlive(presentedFingerprint, server.clock.now());
  note({
    presentedFingerprint,
    ...(token === undefined ? {} : { clientId: token.clientId }),
    ...(token?.grant === undefined ? {} : { grantId: token.grant.id, user: token.grant.username }),
  });
  return token;
}

function keyProblem({ server, request }: Exchange): Answer | undefined {
  const key = header(request, 'ocp-apim-subscription-key') ?? request.query.get('subscription-key');
  if (key === null) return answers.keyMissing();
  return key === server.settings.subscriptionKey ? undefined : answers.keyInvalid();
}

function limitProblem(
  { server }: Exchange,
  counter: LimitCounter,
  token: AccessToken | undefined,
): Answer | undefined {
  const admission = counter.admit(token?.clientId ?? 'unknown', server.clock.now());
  if (admission.admitted) return undefined;
  const seconds = String(Math.ceil(admission.waitMs / 1000));
  return admission.because === 'rate'
    ? answers.rateLimited(seconds)
    : answers.quotaExceeded(seconds);
}

function tokenProblem(
  { server, request }: Exchange,
  token: AccessToken | undefined,
): Answer | undefined {
  const isForThisApi = token?.resource === server.settings.resources[0]?.uri;
  if (token === undefined || !isForThisApi) return answers.tokenRejected();
  // The official sample sends no `tid`, so only a wrong one is refused.
  const tenant = header(request, 'tid') ?? server.settings.perspioTenantId;
  if (tenant === server.settings.perspioTenantId) return undefined;
  return answers.gatewayAnswer(401, 'The tenant header does not fit.');
}
