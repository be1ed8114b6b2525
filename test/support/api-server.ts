import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An API that a test writes by hand. */
export interface ApiServer extends AsyncDisposable {
  readonly server: Server;
  /** Its origin, `http://127.0.0.1:port`. */
  readonly origin: string;
  /** Requests as they came, oldest first. */
  readonly seen: readonly IncomingMessage[];
}

/** Starts one on a loopback port. */
export async function startApi(
  answer: (...heard: Parameters<RequestListener>) => unknown,
): Promise<ApiServer> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    // A caller that goes away is no fault of the API.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    server,
    origin: `http://127.0.0.1:${String(port)}`,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Reads a body to its end. */
export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
