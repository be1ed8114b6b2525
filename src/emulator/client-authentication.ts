import { importJWK, jwtVerify, type JWK } from 'jose';
import { dateOf } from '../system/instant.ts';
import type { Form } from './http/form.ts';
import { header, type Request } from './http/request.ts';
import { Refusal } from './refusal.ts';
import type { AuthorizationServer } from './server.ts';
import { isConfidential, type RegisteredClient } from './state/clients.ts';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** What a request offers to prove which client it is from. */
export interface ClientCredentials {
  readonly clientId: string | undefined;
  readonly secret: string | undefined;
  readonly assertion: string | undefined;
}

/**
 * Reads the credentials out of the body or the Authorization header.
 *
 * @throws Refusal 9002313 for a malformed header or an unknown kind of assertion.
 * @see RFC 6749 section 2.3.1
 */
export function readCredentials(request: Request, form: Form): ClientCredentials {
  const assertion = form.get('client_assertion');
  if (assertion !== undefined && form.get('client_assertion_type') !== assertionType) {
    throw new Refusal(9002313, { text: 'The client assertion is of an unknown type.' });
  }
  const basic = readBasic(header(request, 'authorization'));
  return {
    clientId: basic?.clientId ?? form.get('client_id'),
    secret: basic?.secret ?? form.get('client_secret'),
    assertion,
  };
}

function readBasic(value: string | undefined): { clientId: string; secret: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(value ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const parts = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8'));
  if (parts === null)
    throw new Refusal(9002313, { text: 'The Authorization header is malformed.' });
  const [, clientId = '', secret = ''] = parts;
  const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
  try {
    return { clientId: decode(clientId), secret: decode(secret) };
  } catch {
    throw new Refusal(9002313, { text: 'The Authorization header is not form-encoded.' });
  }
}

/**
 * Makes sure that the request comes from the client it names.
 *
 * @throws Refusal 7000215, 7000218, 7000222, 700025 or 700027.
 */
export async function authenticateClient(
  server: AuthorizationServer,
  client: RegisteredClient,
  { secret, assertion }: ClientCredentials,
): Promise<void> {
  if (!isConfidential(client)) {
    if (secret === undefined && assertion === undefined) return;
    throw new Refusal(700025);
  }
  if (assertion !== undefined) return verifyAssertion(server, client, assertion);
  if (secret === undefined) throw new Refusal(7000218);
  if (secret !== client.clientSecret) throw new Refusal(7000215);
  if ((client.secretExpiresAt ?? Infinity) <= server.clock.now()) throw new Refusal(7000222);
}

async function verifyAssertion(
  server: AuthorizationServer,
  client: RegisteredClient,
  assertion: string,
): Promise<void> {
  if (client.publicJwk === undefined) throw new Refusal(700027);
  const tokenEndpoint = `${server.origin}/${server.settings.entraTenantId}/oauth2/v2.0/token`;
  try {
    const key = await importJWK(client.publicJwk as JWK, undefined);
    await jwtVerify(assertion, key, {
      audience: [tokenEndpoint, `${server.origin}/${server.settings.entraTenantId}/v2.0`],
      issuer: client.clientId,
      subject: client.clientId,
      requiredClaims: ['exp', 'jti'],
      algorithms: ['PS256', 'RS256', 'ES256'],
      currentDate: dateOf(server.clock.now()),
      clockTolerance: 300,
    });
  } catch {
    throw new Refusal(700027);
  }
}
