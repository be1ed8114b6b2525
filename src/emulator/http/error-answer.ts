import { isoInstant } from '../../system/instant.ts';
import { aadstsErrors } from '../aadsts.ts';
import type { Refusal } from '../refusal.ts';
import type { AuthorizationServer } from '../server.ts';
import { json, type Answer } from './answer.ts';
import { entraHeaders } from './entra-headers.ts';
import { header, type Request } from './request.ts';

/** The text Entra sends as `error_description`, with the ids its support asks for. */
export function describeRefusal(
  server: AuthorizationServer,
  refusal: Refusal,
  ids: { readonly traceId: string; readonly correlationId: string },
): string {
  const separator = server.settings.errorSeparator === 'crlf' ? '\r\n' : ' ';
  return [
    `AADSTS${String(refusal.code)}: ${refusal.message}`,
    `Trace ID: ${ids.traceId}`,
    `Correlation ID: ${ids.correlationId}`,
    `Timestamp: ${timestamp(server.clock.now())}`,
  ].join(separator);
}

/** A refusal in the shape of Entra's error body. */
export function errorAnswer(
  server: AuthorizationServer,
  request: Request,
  refusal: Refusal,
): Answer {
  const traceId = server.random.uuid();
  const correlationId = correlationIdOf(request) ?? server.random.uuid();
  // The lookup page does not know every number; a transient fault comes without a link.
  const hasPage = aadstsErrors.has(refusal.code) && refusal.status < 500;
  return json(
    refusal.status,
    {
      error: refusal.error,
      error_description: describeRefusal(server, refusal, { traceId, correlationId }),
      error_codes: [refusal.code],
      timestamp: timestamp(server.clock.now()),
      trace_id: traceId,
      correlation_id: correlationId,
      ...(hasPage ? { error_uri: `${server.origin}/error?code=${String(refusal.code)}` } : {}),
      ...(refusal.suberror === undefined ? {} : { suberror: refusal.suberror }),
      ...(refusal.claims === undefined ? {} : { claims: refusal.claims }),
    },
    entraHeaders(server, request, traceId),
  );
}

/** The client's own request id, when it is a GUID. */
function correlationIdOf(request: Request): string | undefined {
  const id = header(request, 'client-request-id');
  return id !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
    ? id
    : undefined;
}

/** `2026-01-02 03:04:05Z`: with a space, as Entra writes it. */
function timestamp(at: number): string {
  return `${isoInstant(at).slice(0, 19).replace('T', ' ')}Z`;
}
