import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A server that speaks bytes: it remembers what came and answers what it is told, so that no HTTP library stands in between. */
export interface RawServer {
  /** Address of a token endpoint on it. */
  readonly url: string;
  /** Everything received, one entry a connection. */
  readonly received: readonly string[];
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts one on a loopback port.
 *
 * @param answer - called when a whole request has come; writes what it likes.
 */
export async function rawServer(
  answer: (socket: Socket, request: string) => void,
): Promise<RawServer> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const connection = received.push('') - 1;
    let pending = '';
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      received[connection] = (received[connection] ?? '') + text;
      pending += text;
      const whole = wholeRequest(pending);
      if (whole === undefined) return;
      pending = pending.slice(whole.length);
      answer(socket, whole);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/tenant/oauth2/v2.0/token`,
    received,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An HTTP/1.1 answer as text. */
export function httpAnswer(
  status: number,
  body: string | object,
  headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' },
): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const length = { 'content-length': String(Buffer.byteLength(text)) };
  const fields = Object.entries({ ...length, ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `HTTP/1.1 ${String(status)} Demo\r\n${fields.join('')}\r\n${text}`;
}

function wholeRequest(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = Number(/^content-length: (\d+)\r$/im.exec(text.slice(0, end + 2))?.[1] ?? 0);
  const whole = end + 4 + length;
  return text.length < whole ? undefined : text.slice(0, whole);
}
