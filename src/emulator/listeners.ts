import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listen } from './http/listener.ts';
import { readRequest, type Request } from './http/request.ts';
import { serve, type Service } from './serve.ts';
import { createRouter, type Route } from './router.ts';
import type { ThrowAwayAuthority } from './tls.ts';
import { createTalkApi } from './talk-api/talk-api.ts';

/** Both listeners of an emulator. */
export interface Listeners {
  readonly origin: string;
  readonly apiOrigin: string;
  /** PEM of the authority; undefined without TLS. */
  readonly caCertificate: string | undefined;
  close(): Promise<void>;
}

/** Answers requests below the control path. */
export type ControlHandler = (request: Request, response: ServerResponse) => void;

/** Opens the listener of the authorization server and that of the API. */
export async function startListeners(
  service: Service,
  control: ControlHandler,
): Promise<Listeners> {
  const { settings } = service.server;
  const tls = settings.tls ? await throwAwayAuthority(service) : undefined;
  const connections = numberConnections();
  const authorizationRoute = createRouter(settings);
  const api: Route = { name: 'api', endpoint: createTalkApi(service.server) };
  const common = { host: settings.host, tls: tls?.identity, onConnection: connections.add };
  const authorization = await listen({
    ...common,
    port: settings.port,
    onRequest: listener(connections.of, (request, response) => {
      if (request.path.startsWith('/_emulator/')) {
        control(request, response);
        return Promise.resolve();
      }
      return serve(service, authorizationRoute(request.path), request, response);
    }),
  });
  const talk = await listen({
    ...common,
    port: settings.apiPort,
    onRequest: listener(connections.of, (request, response) =>
      serve(service, api, request, response),
    ),
  });
  return {
    origin: authorization.origin,
    apiOrigin: talk.origin,
    caCertificate: tls?.caCertificate,
    close: async () => {
      await Promise.all([authorization.close(), talk.close()]);
    },
  };
}

function listener(
  connectionOf: (socket: Socket) => number,
  handle: (request: Request, response: ServerResponse) => Promise<void>,
): RequestListener {
  const run = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A client that leaves in the middle is no error of the emulator's.
    response.on('error', () => undefined);
    const request = await readRequest(message, connectionOf(message.socket));
    if (request === undefined) return void response.destroy();
    await handle(request, response);
  };
  return (message, response) => {
    run(message, response).catch((error: unknown) => {
      // A defect of the emulator must not look like an answer of the server.
      response.destroy(error instanceof Error ? error : undefined);
      process.emitWarning(error instanceof Error ? error : String(error));
    });
  };
}

function numberConnections(): { add(socket: Socket): void; of(socket: Socket): number } {
  const numbers = new WeakMap<Socket, number>();
  let last = 0;
  return {
    add: (socket) => void numbers.set(socket, ++last),
    of: (socket) => numbers.get(socket) ?? 0,
  };
}

async function throwAwayAuthority(service: Service): Promise<ThrowAwayAuthority> {
  // The certificate library is slow to load, and most tests do without TLS.
  const { createThrowAwayAuthority } = await import('./tls.ts');
  return createThrowAwayAuthority(service.server.random);
}
