import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Clock } from '../../system/clock.ts';
import { MOST_FIELDS } from './shape.ts';

/*
 * One listening server with the limits of all: what is slow, large or many costs others nothing.
 */

const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  // Bodies have limits of their own; an upload through the proxy may take long.
  requestTimeout: 0,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
  requireHostHeader: false,
  insecureHTTPParser: false,
} as const;
/** Who speaks TLS says so at once; Node's own limit is two minutes. */
const HANDSHAKE_MS = 10_000;
const MOST_CONNECTIONS = 4_096;

/** Certificate and key, PEM. */
export interface TlsMaterial {
  /** Certificates, the server's first. */
  readonly cert: Uint8Array;
  /** The key. */
  readonly key: Uint8Array;
}

/** Handles one request. Never throws. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that is ready to listen. */
export interface Listener {
  /** The server itself. */
  readonly server: Server | TlsServer;
  /** Takes another certificate for connections to come. */
  useTls(material: TlsMaterial): void;
  /** Takes no more connections, lets requests under way end until the signal aborts, then ends all. */
  close(signal: AbortSignal): Promise<void>;
}

/** Makes a server. Nothing listens yet. */
export function createListener(
  handler: Handler,
  clock: Clock,
  tls: TlsMaterial | undefined,
): Listener {
  let isClosing = false;
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    if (isClosing) response.setHeader('connection', 'close');
    handler(request, response);
  };
  const server =
    tls === undefined
      ? createServer(LIMITS, receive)
      : createTlsServer({ ...LIMITS, handshakeTimeout: HANDSHAKE_MS, ...secure(tls) }, receive);
  server.maxConnections = MOST_CONNECTIONS;
  server.maxHeadersCount = MOST_FIELDS;
  return {
    server,
    useTls: (material) => {
      if ('setSecureContext' in server) server.setSecureContext(secure(material));
    },
    close: (signal) => {
      isClosing = true;
      return close(server, clock, signal);
    },
  };
}

function secure({ cert, key }: TlsMaterial): {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
} {
  return { cert: Buffer.from(cert), key: Buffer.from(key), minVersion: 'TLSv1.2' };
}

const LOOK_EVERY_MS = 50;

function close(server: Server, clock: Clock, signal: AbortSignal): Promise<void> {
  const isOver = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // A connection that was busy when closing began is idle only once its answer is written.
  const sweep = (): void => {
    server.closeIdleConnections();
    timer = clock.timer(LOOK_EVERY_MS, sweep, { background: true });
  };
  let timer = clock.timer(0, sweep);
  const end = (): void => {
    server.closeAllConnections();
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  return isOver.finally(() => {
    timer.cancel();
    signal.removeEventListener('abort', end);
  });
}
