import type * as z from 'zod';
import { admit, type Demand } from '../access/reach.ts';
import { jsonRoute, streamRoute, type Call, type Route } from '../api/route.ts';
import { connectLinkAnswer, connectLinkBody, renewLinkBody } from '../api/schemas.ts';
import type { BeginOptions } from '../../keeper-api.ts';
import type { DaemonParts } from '../parts.ts';
import { hasGoodKey } from '../standing.ts';
import { CALLBACK_PATH, Desk } from './desk.ts';
import { LINK_LIFE_MS, Links } from './links.ts';
import { orderOf, type LinkBody } from './order.ts';
import { rehearse } from './sign-in.ts';

/** Links that let a person consent, and where they lead. */
export function linkRoutes(parts: DaemonParts): readonly Route[] {
  const links = new Links(parts.clock, parts.random, (by) => hasGoodKey(parts, by));
  const desk = new Desk(parts, links);
  const page = pageOf(desk);
  return [
    offerRoute(parts, links),
    renewRoute(parts, links),
    page('GET', '/consent/{token}', 'consentPage', 'Shows a person what a link is for', (call) =>
      desk.show(call.request, call.response, call.params['token'] ?? ''),
    ),
    page('POST', '/consent/{token}', 'consentBegin', 'Leads to the sign-in', (call) =>
      desk.begin(call.request, call.response, call.params['token'] ?? ''),
    ),
    page('GET', CALLBACK_PATH, 'consentCallback', 'Where the sign-in leads back to', (call) =>
      desk.callback(call.request, call.response),
    ),
    page('GET', '/consent/result/{id}', 'consentResult', 'What the sign-in came to', async (call) =>
      desk.result(call.request, call.response, call.params['id'] ?? ''),
    ),
    page('POST', '/consent/result/{id}', 'consentAgain', 'Leads to the sign-in again', (call) =>
      desk.again(call.request, call.response, call.params['id'] ?? ''),
    ),
  ];
}

function offerRoute(parts: DaemonParts, links: Links): Route {
  return jsonRoute({
    method: 'POST',
    path: '/v1/connect-links',
    operation: 'connectLink',
    summary:
      'Makes a link at which a person consents, to a new connection or once more to one that exists',
    access: { verb: 'manage', reach: 'some', isFiledByRoute: true },
    body: connectLinkBody,
    answer: connectLinkAnswer,
    handle: async (call) => {
      const { caller, body } = call;
      const order = { what: 'connectLink', connection: body.name, demand: demandOf(body) };
      await admit(parts.audit, caller, order);
      return offer(parts, links, call, body);
    },
  });
}

/** Registration, scopes and account stay as they are, so that whoever may manage the connection needs to be trusted with nothing else. */
function renewRoute(parts: DaemonParts, links: Links): Route {
  return jsonRoute({
    method: 'POST',
    path: '/v1/connections/{name}/connect-link',
    operation: 'renewLink',
    summary:
      'Makes a link at which the person of a connection consents once more; its registration, scopes and account stay',
    access: { verb: 'manage', reach: 'named' },
    body: renewLinkBody,
    answer: connectLinkAnswer,
    handle: (call) => {
      const { name = '' } = call.params;
      return offer(parts, links, call, { ...call.body, name });
    },
  });
}

async function offer(
  parts: DaemonParts,
  links: Links,
  { caller, signal }: Pick<Call, 'caller' | 'signal'>,
  body: LinkBody,
): Promise<z.input<typeof connectLinkAnswer>> {
  const origin = parts.consentOrigin();
  const order = await orderOf(parts.keeper, body);
  const redirectUri = `${origin}${CALLBACK_PATH}`;
  await rehearse(order, redirectUri, signal);
  const { token, link } = links.offer(order, caller, body.life ?? LINK_LIFE_MS);
  const { expiresAt } = link;
  return { url: `${origin}/consent/${token.reveal()}`, redirectUri, expiresAt };
}

function demandOf(body: LinkBody): Demand {
  const { scope, anyAccount } = body;
  if (!('provider' in body)) return { isRenewal: true, scope, anyAccount };
  const registration = body as BeginOptions;
  return { isRenewal: body.reconnect === true, registration, scope, anyAccount };
}

/** A person cannot read a problem. */
function pageOf(desk: Desk) {
  return (
    method: 'GET' | 'POST',
    path: string,
    operation: string,
    summary: string,
    answer: (call: Call) => Promise<void>,
  ): Route => {
    const head = { method, path, operation, summary, access: 'anyone' } as const;
    const stream = (call: Call): Promise<void> =>
      answer(call).catch((error: unknown) => {
        desk.failed(call.response, error);
      });
    return streamRoute({ ...head, type: 'text/html', isQueryForeign: true, stream });
  };
}
