import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { ListenOptions, Server as NetServer } from 'node:net';
import { Connections } from './connections.ts';
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
  /** Takes no more connections, ends those on which nothing is under way, the others when they have their answers, and all when the signal aborts. */
  close(signal: AbortSignal): Promise<void>;
}

/** Makes a server. Nothing listens yet. */
export function createListener(handler: Handler, tls: TlsMaterial | undefined): Listener {
  let isClosing = false;
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    if (isClosing) response.setHeader('connection', 'close');
    connections.serving(request, response);
    handler(request, response);
  };
  const server =
    tls === undefined
      ? createServer(LIMITS, receive)
      : createTlsServer({ ...LIMITS, handshakeTimeout: HANDSHAKE_MS, ...secure(tls) }, receive);
  const connections = new Connections(server);
  // One that could not be taken, for want of memory or files, is no reason to end; what fails while it begins to listen is heard by whoever waits.
  server.on('error', () => undefined);
  server.maxConnections = MOST_CONNECTIONS;
  server.maxHeadersCount = MOST_FIELDS;
  return {
    server,
    useTls: (material) => {
      if ('setSecureContext' in server) server.setSecureContext(secure(material));
    },
    close: (signal) => {
      isClosing = true;
      return close(server, connections, signal);
    },
  };
}

/** Begins to listen. @throws the system's error when it cannot. */
export function listen(server: NetServer, at: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Node's own queue is an eighth of it; who finds none free at a Unix socket is refused, not left to wait.
    server.listen({ backlog: MOST_CONNECTIONS, ...at }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function secure({ cert, key }: TlsMaterial): {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: 'TLSv1.2';
} {
  return { cert: Buffer.from(cert), key: Buffer.from(key), minVersion: 'TLSv1.2' };
}

async function close(server: Server, connections: Connections, late: AbortSignal): Promise<void> {
  const isOver = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  connections.end();
  const destroy = (): void => {
    connections.destroy();
  };
  if (late.aborted) destroy();
  else late.addEventListener('abort', destroy, { once: true });
  await isOver;
  late.removeEventListener('abort', destroy);
}
