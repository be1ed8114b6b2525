import { ConfigurationError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { encodeForm, encodeFormValue } from './form.ts';
import type { ClientAuthentication, TokenRequest } from './outcome.ts';

/** A token request as it goes on the wire. It holds secrets: never log it. */
export interface EncodedRequest {
  /** Header fields by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The form. */
  readonly body: string;
}

/**
 * Encodes a request to a token endpoint (or to a device authorization or revocation endpoint, which authenticate alike). The client
 * proves itself in exactly one way; parameters without a value are left out.
 *
 * @throws {@link ConfigurationError} when the parameters repeat what the client authentication already sends.
 * @see RFC 6749 sections 2.3.1 and 3.2
 */
export function encodeTokenRequest(request: TokenRequest): EncodedRequest {
  checkAuthenticatedOnce(request);
  const authorization = basicCredentials(request.clientId, request.authentication);
  const headers = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    ...(authorization !== undefined && { authorization }),
  };
  const pairs: [string, string][] =
    authorization === undefined ? [['client_id', request.clientId]] : [];
  if (request.authentication.method === 'client_secret_post')
    pairs.push(['client_secret', request.authentication.secret.reveal()]);
  for (const [name, value] of Object.entries(request.parameters)) {
    const text = value instanceof Secret ? value.reveal() : value;
    if (text !== undefined && text !== '') pairs.push([name, text]);
  }
  return { headers, body: encodeForm(pairs) };
}

/** The secrets that a request carries, so that an answer which echoes them can be cleaned. */
export function secretsOf(request: TokenRequest): readonly Secret[] {
  const values = Object.values(request.parameters).filter((value) => value instanceof Secret);
  return request.authentication.method === 'none'
    ? values
    : [request.authentication.secret, ...values];
}

/**
 * Makes sure that the parameters leave the proof of the client to its method; {@link encodeTokenRequest} does so as well.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` that names the parameter.
 */
export function checkAuthenticatedOnce({
  authentication,
  parameters,
}: Pick<TokenRequest, 'authentication' | 'parameters'>): void {
  const reserved = ['client_id', 'client_secret'];
  if (authentication.method !== 'none') reserved.push('client_assertion', 'client_assertion_type');
  const repeated = reserved.find((name) => parameters[name] !== undefined);
  if (repeated !== undefined) {
    throw new ConfigurationError(
      'ERR_CONFIGURATION',
      `the extra parameter ${repeated} would prove the client twice; remove it or change the client authentication`,
    );
  }
}

function basicCredentials(
  clientId: string,
  authentication: ClientAuthentication,
): string | undefined {
  switch (authentication.method) {
    case 'client_secret_basic':
      return basic(encodeFormValue(clientId), encodeFormValue(authentication.secret.reveal()));
    case 'client_secret_basic_raw':
      return basic(clientId, authentication.secret.reveal());
    case 'client_secret_post':
    case 'none':
      return undefined;
  }
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
