import type { AuthorizationServer } from '../server.ts';
import type { Answer } from './answer.ts';
import { header, type Request } from './request.ts';

/** The headers Entra's token endpoint puts on every answer, cookies included: a client must not keep them. */
export function entraHeaders(
  server: AuthorizationServer,
  request: Request,
  traceId: string,
): Answer['headers'] {
  const clientRequestId = header(request, 'client-request-id');
  const echo = header(request, 'return-client-request-id') === 'true';
  return {
    'Cache-Control': 'no-store, no-cache',
    Pragma: 'no-cache',
    Expires: '-1',
    'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    'X-Content-Type-Options': 'nosniff',
    P3P: 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
    'x-ms-request-id': traceId,
    'x-ms-ests-server': '2.1.0 - emulator',
    'x-ms-clitelem': '1,0,0,,',
    'Set-Cookie': [
      `fpc=${Buffer.from(server.random.bytes(12)).toString('base64url')}; path=/; HttpOnly; SameSite=None`,
      'x-ms-gateway-slice=estsfd; path=/; HttpOnly',
      'stsservicecookie=estsfd; path=/; HttpOnly',
    ],
    ...(echo && clientRequestId !== undefined ? { 'client-request-id': clientRequestId } : {}),
  };
}
