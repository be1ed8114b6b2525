import type { EmulatorClient } from '../options.ts';
import { Refusal } from '../refusal.ts';

/** A registered client, with the secret that may change. */
export interface RegisteredClient extends Omit<
  EmulatorClient,
  'clientSecret' | 'secretExpiresAt' | 'preconsented'
> {
  clientSecret: string | undefined;
  secretExpiresAt: number | undefined;
  readonly redirectUris: readonly string[];
  /** Scopes an administrator consented to; withdrawn by `withdrawConsent`. */
  preconsented: readonly string[] | undefined;
}

/** The registered clients. */
export interface Clients {
  /** The client of this id. @throws Refusal 900144 without an id, 700016 when there is none such. */
  find(clientId: string | undefined): RegisteredClient;
  /** Adds or replaces a client. */
  register(client: EmulatorClient): void;
  all(): readonly RegisteredClient[];
  /** The client that was registered first. */
  first(): RegisteredClient;
}

const defaultRedirectUris = [
  'http://localhost',
  'http://localhost/callback',
  'http://localhost/consent/callback',
  'http://127.0.0.1',
  'http://127.0.0.1/callback',
  'http://127.0.0.1/consent/callback',
];

/** Registers the clients given. */
export function createClients(given: readonly EmulatorClient[]): Clients {
  const clients = new Map<string, RegisteredClient>();
  const register = (client: EmulatorClient): void => {
    clients.set(client.clientId, {
      ...client,
      clientSecret: client.clientSecret,
      secretExpiresAt: client.secretExpiresAt,
      redirectUris: client.redirectUris ?? defaultRedirectUris,
      preconsented: client.preconsented,
    });
  };
  given.forEach(register);
  return {
    register,
    all: () => [...clients.values()],
    find(clientId) {
      if (clientId === undefined) {
        throw new Refusal(900144, { text: "The request must contain the parameter 'client_id'." });
      }
      const client = clients.get(clientId);
      if (client === undefined) throw new Refusal(700016);
      return client;
    },
    first() {
      const [client] = clients.values();
      if (client === undefined) throw new TypeError('the emulator has no client');
      return client;
    },
  };
}

/** Whether a client can keep a secret: it has one, or a key. */
export function isConfidential(client: RegisteredClient): boolean {
  return client.clientSecret !== undefined || client.publicJwk !== undefined;
}

/**
 * Whether a redirect URI is registered: compared exactly, but for the port on loopback. IPv6 loopback is not supported, as at Entra.
 *
 * @see RFC 8252 section 7.3
 */
export function isRegisteredRedirect(client: RegisteredClient, redirectUri: string): boolean {
  const wanted = withoutLoopbackPort(redirectUri);
  return client.redirectUris.some((uri) => withoutLoopbackPort(uri) === wanted);
}

function withoutLoopbackPort(uri: string): string {
  return uri
    .replace(/^(http:\/\/(?:localhost|127\.0\.0\.1))(?::\d{1,5})?(?=[/?]|$)/, '$1')
    .replace(/^(http:\/\/(?:localhost|127\.0\.0\.1))\/?$/, '$1/');
}
