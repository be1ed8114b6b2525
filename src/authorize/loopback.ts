import { sabotaged } from '#failpoints';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from '../errors.ts';
import { ANSWERED_PAGE, PAGE_HEADERS, REFUSED_PAGE } from './page.ts';
import { redirectUriAt, type Redirect } from './redirect-uri.ts';

/** A listener that waits for one redirect of a browser. */
export interface LoopbackListener extends AsyncDisposable {
  /** Where it listens, as the authorization server must be told. */
  readonly redirectUri: string;
}

/** Tells whether the parameters are the awaited answer; the first time it says so ends the listening. */
export type Accept = (parameters: URLSearchParams) => boolean;

const BINDING_ATTEMPTS = 5;

/**
 * Listens for a redirect on loopback addresses only. For `localhost` it takes the same port of both address families, so that nobody
 * else on this machine can stand behind the name. It stops listening with the first accepted answer.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` when the port cannot be had.
 * @see RFC 8252 section 8.3
 */
export async function listenOnLoopback(
  redirect: Redirect,
  accept: Accept,
): Promise<LoopbackListener> {
  const servers = await bind(redirect);
  const port = portOf(servers[0]);
  const redirectUri = redirectUriAt(redirect, port);
  let accepted: Promise<void> | undefined;

  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    const { status, parameters } = examine(request, redirectUri);
    const isAnswer = accepted === undefined && parameters !== undefined && accept(parameters);
    response.writeHead(isAnswer ? 200 : status, PAGE_HEADERS);
    response.end(isAnswer ? ANSWERED_PAGE : REFUSED_PAGE);
    if (!isAnswer) return;
    accepted = new Promise((resolve) => response.once('close', resolve));
    for (const server of servers) server.close();
  };
  for (const server of servers) server.on('request', receive);

  return {
    redirectUri,
    async [Symbol.asyncDispose]() {
      await accepted;
      await Promise.all(servers.map(close));
    },
  };
}

/** Decides by the request's shape alone whether its parameters deserve a look. */
function examine(
  request: IncomingMessage,
  redirectUri: string,
): { readonly status: number; readonly parameters?: URLSearchParams } {
  const awaited = new URL(redirectUri);
  const url = URL.parse(request.url ?? '', redirectUri);
  // A name that was rebound to this machine betrays itself by the Host field.
  if (request.headers.host !== awaited.host && !sabotaged('host-check')) return { status: 421 };
  if (url?.origin !== awaited.origin || url.pathname !== awaited.pathname) return { status: 404 };
  if (request.method !== 'GET') return { status: 405 };
  return { status: 400, parameters: url.searchParams };
}

type Servers = readonly [Server, ...Server[]];

async function bind(redirect: Redirect): Promise<Servers> {
  const [first, second] = addressesOf(redirect.host);
  for (let attempt = 1; ; attempt++) {
    const server = await listen(first, redirect.port);
    if (second === undefined) return [server];
    try {
      return [server, await listen(second, portOf(server))];
    } catch (error) {
      if (isFamilyMissing(error)) return [server];
      await close(server);
      if (redirect.port !== 0 || attempt === BINDING_ATTEMPTS) throw error;
    }
  }
}

function addressesOf(host: Redirect['host']): readonly [string, string?] {
  if (host === '[::1]') return ['::1'];
  return host === 'localhost' ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}

function listen(address: string, port: number): Promise<Server> {
  const server = createServer({
    maxHeaderSize: 16_384,
    headersTimeout: 5_000,
    requestTimeout: 5_000,
    connectionsCheckingInterval: 1_000,
  });
  server.maxConnections = 32;
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new ConfigurationError(
          'ERR_ARGUMENT',
          `cannot listen on ${address} port ${String(port)} for the redirect; choose another redirectPort`,
          { cause },
        ),
      ),
    );
    server.listen({ host: address, port, exclusive: true }, () => resolve(server));
  });
}

function isFamilyMissing(error: unknown): boolean {
  const cause = error instanceof ConfigurationError ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
