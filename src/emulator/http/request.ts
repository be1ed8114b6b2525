import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** A request, read whole. */
export interface Request {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Ordinal of the TCP connection. */
  readonly connection: number;
}

const greatestBody = 1024 * 1024;

/**
 * Reads a request to its end.
 *
 * @returns undefined when the client left before it had sent everything, or sent more than 1 MiB.
 */
export async function readRequest(
  message: IncomingMessage,
  connection: number,
): Promise<Request | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > greatestBody) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  const [path, query] = splitOnce(message.url ?? '/', '?');
  return {
    method: message.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: message.headers,
    body: Buffer.concat(chunks).toString('utf8'),
    connection,
  };
}

/** The first value of a header, if there is one. */
export function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
