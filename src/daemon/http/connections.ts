import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Requests that have no whole answer yet. */
  underWay: number;
}

/**
 * The connections of a server. Node counts one on which nothing was asked yet, as browsers open them for later, neither as idle nor as in
 * use, and knows of none that is still becoming a secure one; a server that ends would wait for them.
 *
 * @see https://github.com/nodejs/node/issues/63452
 */
export class Connections {
  readonly #open = new Map<Socket | string, Connection>();
  #isEnding = false;

  /** Knows those that come from now on. */
  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      if (this.#isEnding) {
        socket.destroy();
        return;
      }
      const key = keyOf(socket);
      const connection = { socket, underWay: 0 };
      this.#open.set(key, connection);
      socket.once('close', () => {
        if (this.#open.get(key) === connection) this.#open.delete(key);
      });
    });
  }

  /** Notes a request until its answer is written, or its connection has ended. */
  serving({ socket }: IncomingMessage, response: ServerResponse): void {
    const connection = this.#open.get(keyOf(socket));
    if (connection === undefined) return;
    connection.underWay++;
    response.once('close', () => {
      connection.underWay--;
      if (this.#isEnding && connection.underWay === 0) socket.destroySoon();
    });
  }

  /** Ends those on which no request is under way at once, the others when they have their answers. */
  end(): void {
    this.#isEnding = true;
    for (const { socket, underWay } of this.#open.values()) if (underWay === 0) socket.destroy();
  }

  /** Ends all. */
  destroy(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }
}

/**
 * TLS puts a socket on top of another and Node shows neither to the other, but both have the same two ends, and no other connection has them: one
 * peer may reach two addresses of ours from one port. Only a Unix socket has no ends, and no TLS.
 */
function keyOf(socket: Socket): Socket | string {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return socket;
  return [localAddress, localPort, remoteAddress, remotePort].join(' ');
}
