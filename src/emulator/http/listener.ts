import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** Certificate and key of a TLS listener, in PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** A socket that accepts requests. */
export interface Listener {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Stops listening and cuts every connection. */
  close(): Promise<void>;
}

/** Starts to listen; rejects when the port is taken. */
export async function listen(options: {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsIdentity | undefined;
  readonly onRequest: RequestListener;
  readonly onConnection: (socket: Socket) => void;
}): Promise<Listener> {
  const { host, port, tls, onRequest, onConnection } = options;
  const server: Server =
    tls === undefined ? createHttpServer(onRequest) : createHttpsServer(tls, onRequest);
  server.on(tls === undefined ? 'connection' : 'secureConnection', onConnection);
  // Faults keep requests open as long as a test wants.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const authority = host.includes(':') ? `[${host}]` : host;
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${authority}:${String(address.port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
