import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessToken } from '../../access-token.ts';
import { callWithToken, type ApiAccess } from '../../resource/exchange.ts';
import { isAllowedOrigin } from '../../resource/origins.ts';
import type { Streaming } from '../../system/streaming.ts';
import { judged, passOn, type Passing } from './answer.ts';
import { apiError, throttledError } from './failure.ts';
import { requestFields } from './headers.ts';
import { ReplayableBody } from './replay.ts';
import { ReplayRoom } from './replay-room.ts';
import { readTarget, resolveTarget, targetOf, type Destination } from './target.ts';

/** A call that somebody wants to be made. */
export interface ProxyCall {
  /** Name of the connection. */
  readonly connection: string;
  /** Method. */
  readonly method: string;
  /** Host in lower case, with its port where it is not the usual one. */
  readonly host: string;
  /** Path, decoded, without query; holds no dot segment, no backslash and no slash that was encoded. */
  readonly path: string;
}

/** Decides about a call before any token is asked for: resolves when it may be made, rejects with the reason when not. */
export type Admit = (call: ProxyCall) => Promise<void> | void;

/** What a request comes with. */
export interface ProxyOptions {
  /** Decides about the call. */
  readonly admit: Admit;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
}

/** What a proxy works with. */
export interface ProxyParts {
  /** What calling the API of a connection takes. */
  api(name: string): Promise<ApiAccess>;
  /** The way to APIs. */
  readonly streaming: Streaming;
  /** Where bodies are kept that may have to be sent a second time; by default room for 16 MiB. */
  readonly room?: ReplayRoom;
}

/**
 * Passes a request to the API of the connection that its target names, with the connection's credentials in place of the caller's, and the answer
 * back. The request must have passed the checks of its shape.
 *
 * @throws {@link EvergrantError} as long as no answer was begun; the signal's reason when the caller goes away before.
 */
export type Proxy = (
  request: IncomingMessage,
  response: ServerResponse,
  options: ProxyOptions,
) => Promise<void>;

/** Makes a proxy. */
export function createProxy(parts: ProxyParts): Proxy {
  const { streaming, room = new ReplayRoom() } = parts;
  return async (request, response, options) => {
    const { signal } = options;
    const { method = '', url: target = '' } = request;
    const { connection, rest } = readTarget(target);
    const access = await parts.api(connection);
    const destination = resolveTarget({ connection, rest }, access.api);
    const { host } = destination.url;
    await options.admit({ connection, method, host, path: destination.plainPath });
    const body = bodyOf(request, room);
    const sending = { connection, request, access, destination, streaming, body, signal };
    const dropped: Passing[] = [];
    try {
      const { answer, token } = await exchange(sending, dropped);
      body?.release();
      // What follows an upload that nobody waited for is no request.
      if (!request.complete) response.shouldKeepAlive = false;
      await passOn(answer, response, {
        signal,
        secrets: [token?.value, access.settings.subscriptionKey?.reveal()].filter(isGiven),
        locate: (location) => located(location, answer.status, connection, access, destination),
      });
    } finally {
      body?.close();
      // One that is still being read may never end.
      for (const refused of dropped) refused.body.destroy();
    }
  };
}

/** The answer to pass on, and the token that it answers. Answers that went before are dropped; their bodies may still be coming. */
async function exchange(
  sending: Sending,
  dropped: Passing[],
): Promise<{ readonly answer: Passing; readonly token: AccessToken | undefined }> {
  const { connection, access, destination, body, signal } = sending;
  let token: AccessToken | undefined;
  const answer = await callWithToken<Passing>(access, {
    signal,
    send: (newest) => {
      token = newest;
      return send(sending, newest);
    },
    read: (came) => judged(came, (error) => brokenOff(error, came, destination, signal)),
    isRepeatable: () => body === undefined || body.isReplayable,
    discard: (refused) => {
      dropped.push(refused);
      void refused.discard();
    },
    heldBack: (until) => {
      throw throttledError(connection, until, access.clock.now());
    },
  });
  return { answer, token };
}

/** Why an answer could not be read to be judged. */
function brokenOff(
  error: unknown,
  answer: Passing,
  { url }: Destination,
  signal: AbortSignal,
): unknown {
  return signal.aborted ? signal.reason : apiError(answer.failureOf(error), url.origin);
}

interface Sending {
  readonly connection: string;
  readonly request: IncomingMessage;
  readonly access: ApiAccess;
  readonly destination: Destination;
  readonly streaming: Streaming;
  readonly body: ReplayableBody | undefined;
  readonly signal: AbortSignal;
}

async function send(
  { request, access, destination, streaming, body, signal }: Sending,
  token: AccessToken,
): Promise<Passing> {
  const headers = requestFields(request.rawHeaders, access, token);
  const length = request.headers['content-length'];
  if (body !== undefined && length !== undefined) headers.push('content-length', length);
  const { url, path } = destination;
  const { method = '' } = request;
  try {
    const sent = { origin: url.origin, path, method, headers, body: body?.open(), signal };
    const answer = await streaming.request(sent);
    return { ...answer, begun: [] };
  } catch (error) {
    throw apiError(error, url.origin);
  }
}

function bodyOf(request: IncomingMessage, room: ReplayRoom): ReplayableBody | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (coding !== undefined) return new ReplayableBody(request, undefined, room);
  const bytes = Number(length ?? 0);
  return bytes > 0 ? new ReplayableBody(request, bytes, room) : undefined;
}

/** A redirect within the API leads through the proxy again; any other address is told whole, since it is relative to the API. */
function located(
  location: string,
  status: number,
  connection: string,
  { api }: ApiAccess,
  { url }: Destination,
): string {
  const next = URL.parse(location, url.href);
  if (next === null) return location;
  const isRedirect = status >= 300 && status < 400;
  const through =
    isRedirect && isAllowedOrigin(next, api) ? targetOf(connection, next, api) : undefined;
  return through === undefined ? next.href : through + next.hash;
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
