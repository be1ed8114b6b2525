import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { systemClock } from './clock.ts';
import {
  HttpConnectError,
  HttpExchangeError,
  type HttpConnection,
  type HttpFailure,
  type HttpRequest,
  type HttpResponse,
} from './http.ts';
import { VERSION } from './version.ts';

const MOST_HEADER_BYTES = 16 * 1024;

type SendOptions = Parameters<HttpConnection['send']>[1];

/**
 * Makes a connection for one exchange out of an open socket.
 *
 * @param onReusable - gets the socket when the exchange left it fit for another.
 */
export function exchange(
  socket: Socket,
  url: URL,
  onReusable: (socket: Socket) => void,
): HttpConnection {
  let isUsed = false;
  // A failure while nobody listens must not end the process; the exchange finds the socket destroyed.
  const ignore = (): void => undefined;
  socket.on('error', ignore);
  return {
    // Async, so that misuse rejects as every other failure does.
    async send(request, options) {
      if (isUsed) throw new TypeError('a connection is good for one exchange');
      isUsed = true;
      if (socket.destroyed) throw new HttpConnectError('the connection closed before it was used');
      if (options.signal?.aborted === true) {
        socket.destroy();
        throw new HttpConnectError('the caller gave up before anything was sent');
      }
      return answerTo(socket, url, request, options, () => {
        socket.off('error', ignore);
        onReusable(socket);
      });
    },
    close() {
      if (!isUsed) socket.destroy();
      isUsed = true;
    },
  };
}

function answerTo(
  socket: Socket,
  url: URL,
  request: HttpRequest,
  options: SendOptions,
  onFree: () => void,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = start(socket, url, request);
    const body = new LimitedBody(options.maxBytes);
    let incoming: IncomingMessage | undefined;
    let isSettled = false;

    const settle = (): void => {
      isSettled = true;
      timer.cancel();
      options.signal?.removeEventListener('abort', onAbort);
    };
    const fail = (failure: HttpFailure, message: string): void => {
      if (isSettled) return;
      settle();
      // What was received but not yet handed out comes by a last 'data' event.
      incoming?.read();
      reject(new HttpExchangeError(failure, message, incoming?.statusCode, body.partial()));
      outgoing.destroy();
      socket.destroy();
    };
    const onAbort = (): void => fail('aborted', 'the caller gave up');
    const timer = systemClock.timer(options.timeoutMs, () =>
      fail('timeout', `no complete answer within ${String(options.timeoutMs)} ms`),
    );
    options.signal?.addEventListener('abort', onAbort, { once: true });

    outgoing.on('finish', () => options.onSent?.());
    outgoing.on('error', (error) => fail(...failureOf(error)));
    outgoing.on('response', (response) => {
      incoming = response;
      readAnswer(response, body, fail, (answer) => {
        if (isSettled) return;
        settle();
        resolve(answer);
        release(outgoing, socket, onFree);
      });
    });
    outgoing.end(request.body);
  });
}

function readAnswer(
  response: IncomingMessage,
  body: LimitedBody,
  fail: (failure: HttpFailure, message: string) => void,
  succeed: (answer: HttpResponse) => void,
): void {
  response.on('data', (chunk: Buffer) => {
    if (!body.add(chunk)) fail('too_large', `the answer exceeds ${String(body.limit)} bytes`);
  });
  response.on('error', (error) => fail(...failureOf(error)));
  response.on('end', () => {
    const coding = response.headers['content-encoding'] ?? 'identity';
    if (coding !== 'identity')
      fail('malformed', 'the answer is compressed, which was not asked for');
    const headers = fieldsOf(response);
    succeed({ status: response.statusCode ?? 0, headers, body: body.bytes() });
  });
}

/** Node lets go of the socket when the request closes, not already when the answer ends. */
function release(outgoing: ClientRequest, socket: Socket, onFree: () => void): void {
  if (outgoing.writableFinished) {
    outgoing.on('close', () => outgoing.shouldKeepAlive && onFree());
    return;
  }
  // An answer may come before the whole request has left; such a connection is in no state to be used again.
  socket.destroy();
}

/** Begins a request on the given socket. Without an agent Node hands a socket back to nobody, so it stays ours. */
function start(socket: Socket, url: URL, request: HttpRequest): ClientRequest {
  const outgoing = httpRequest({
    createConnection: () => socket,
    host: url.hostname,
    method: request.method,
    path: `${url.pathname}${url.search}`,
    maxHeaderSize: MOST_HEADER_BYTES,
    headers: {
      host: url.host,
      'user-agent': `evergrant/${VERSION}`,
      ...request.headers,
      'accept-encoding': 'identity',
      connection: 'keep-alive',
      ...(request.body !== undefined && {
        'content-length': String(Buffer.byteLength(request.body)),
      }),
    },
  });
  // Stays first on the wire, and is ours even where the caller gave another.
  outgoing.setHeader('host', url.host);
  return outgoing;
}

function failureOf(error: NodeJS.ErrnoException): [HttpFailure, string] {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return ['too_large', `the answer's header exceeds ${String(MOST_HEADER_BYTES)} bytes`];
  if (error.code?.startsWith('HPE_') === true)
    return ['malformed', `the answer is no HTTP (${error.code})`];
  return ['reset', `the connection broke (${error.code ?? error.message})`];
}

function fieldsOf(incoming: IncomingMessage): Readonly<Record<string, string>> {
  const fields = new Map<string, string>();
  for (const [name, values = []] of Object.entries(incoming.headersDistinct))
    fields.set(name, values.join(', '));
  return Object.fromEntries(fields);
}

/** A body that is read up to a limit. */
class LimitedBody {
  readonly #chunks: Buffer[] = [];
  /** In bytes. */
  readonly limit: number;
  #length = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** @returns false when the limit is passed; what is beyond it is dropped. */
  add(chunk: Buffer): boolean {
    const room = this.limit - this.#length;
    this.#chunks.push(chunk.subarray(0, room));
    this.#length += Math.min(room, chunk.length);
    return chunk.length <= room;
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  partial(): Uint8Array | undefined {
    return this.#length === 0 ? undefined : this.bytes();
  }
}
