import { html, text, type Answer } from '../http/answer.ts';
import { errorAnswer } from '../http/error-answer.ts';
import type { Exchange } from '../http/exchange.ts';
import { Refusal } from '../refusal.ts';
import type { FaultDefinition, RefusalFault } from './fault.ts';
import { retryAfterHeader } from './retry-after.ts';
import type { Strike } from './strike.ts';

type Maker<Kind extends RefusalFault['kind']> = (
  fault: Extract<RefusalFault, { readonly kind: Kind }>,
  exchange: Exchange,
) => Answer;

const gatewayPage = (title: string): string =>
  `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\r\n`;

const makers: { readonly [Kind in RefusalFault['kind']]: Maker<Kind> } = {
  throttled: ({ retryAfter = 60 }, { server }) =>
    text(429, 'Too Many Requests', retryAfterHeader(retryAfter, server.clock.now())),
  unavailable: ({ retryAfter }, exchange) =>
    withRetryAfter(refuse(exchange, new Refusal(90033)), retryAfter, exchange),
  'gateway-timeout': () => html(504, gatewayPage('504 Gateway Time-out')),
  'server-error': ({ status = 500, retryAfter }, exchange) =>
    withRetryAfter(html(status, gatewayPage(`${String(status)} error`)), retryAfter, exchange),
  aadsts: ({ code, ...details }, exchange) => refuse(exchange, new Refusal(code, details)),
  redirect: ({ status = 307, location }, { request }) => ({
    status,
    headers: { Location: location ?? `${request.path}/moved` },
    body: '',
  }),
  'empty-400': () => ({ status: 400, headers: {}, body: '' }),
  'html-403': () => html(403, gatewayPage('403 Forbidden')),
  raw: ({ status, headers = {}, body = '' }) => ({ status, headers, body }),
};

/** Whether a fault stands in for the server's answer. */
export function isRefusalFault(fault: FaultDefinition): fault is RefusalFault {
  return fault.kind in makers;
}

/** What a fault in place of the server's answer does. */
export function refusalStrike(fault: RefusalFault): Strike {
  // The table's type ties each maker to its kind; TypeScript cannot follow that through a lookup.
  const make = makers[fault.kind] as (fault: RefusalFault, exchange: Exchange) => Answer;
  return {
    commits: fault.afterCommit === true,
    answer: (_given, exchange) => make(fault, exchange),
  };
}

function refuse({ server, request, note }: Exchange, refusal: Refusal): Answer {
  note({ aadsts: refusal.code });
  return errorAnswer(server, request, refusal);
}

function withRetryAfter(
  answer: Answer,
  value: Parameters<typeof retryAfterHeader>[0],
  { server }: Exchange,
): Answer {
  const headers = { ...answer.headers, ...retryAfterHeader(value, server.clock.now()) };
  return { ...answer, headers };
}
