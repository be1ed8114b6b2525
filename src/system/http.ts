/*
 * One HTTP/1.1 exchange, with the two moments apart that a refresh must keep apart: connecting, which risks nothing, and sending, which
 * may use up a refresh token.
 */

/** A complete answer. */
export interface HttpResponse {
  /** Status code. */
  readonly status: number;
  /** Header fields by lower-case name; repeated ones joined by a comma and a space. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body, decoded from no content coding. */
  readonly body: Uint8Array;
}

/** A request with a body held whole in memory. */
export interface HttpRequest {
  /** `GET` or `POST`. */
  readonly method: 'GET' | 'POST';
  /** Header fields; `host`, `connection`, `content-length` and, unless given, `user-agent` are set by the connection. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body; absent for none. */
  readonly body?: string;
}

/** Why an exchange failed after {@link HttpConnection.send} was called, so that something may have reached the server. */
export type HttpFailure = 'reset' | 'timeout' | 'too_large' | 'malformed' | 'aborted';

/** Thrown by {@link HttpConnection.send}: the request may have been acted upon. */
export class HttpExchangeError extends Error {
  /** What went wrong. */
  readonly failure: HttpFailure;
  /** Status of the answer, where it got that far. */
  readonly status: number | undefined;
  /** What came of the body; a cut answer may hold the only copy of a token. Not printed with the error. */
  readonly partial: Uint8Array | undefined;

  /** Says in words what `failure` means. */
  constructor(failure: HttpFailure, message: string, status?: number, partial?: Uint8Array) {
    super(message);
    this.name = 'HttpExchangeError';
    this.failure = failure;
    this.status = status;
    this.partial = partial;
    Object.defineProperty(this, 'partial', { enumerable: false });
  }
}

/** Thrown by {@link Http.connect}, and by {@link HttpConnection.send} on a connection that is closed already: nothing was sent. */
export class HttpConnectError extends Error {
  override readonly name = 'HttpConnectError';
}

/** An open connection, good for one exchange; reuse is the pool's business. */
export interface HttpConnection {
  /**
   * Sends one request and reads the whole answer. Never resends, follows no redirect, keeps no cookie. May be called once.
   *
   * @param options - `maxBytes` caps the body while it is read; `onSent` is called when the whole request is with the kernel.
   * @throws {@link HttpConnectError} when the connection closed or the signal fired before anything was sent.
   * @throws {@link HttpExchangeError} when no complete answer came.
   */
  send(
    request: HttpRequest,
    options: {
      readonly timeoutMs: number;
      readonly maxBytes: number;
      readonly signal?: AbortSignal | undefined;
      readonly onSent?: () => void;
    },
  ): Promise<HttpResponse>;
  /** Gives the connection up unused. Does nothing after `send`. */
  close(): void;
}

/** Where connections come from. */
export interface Http {
  /**
   * Opens a connection to the origin of `url`: DNS, TCP and TLS are done when it resolves. With `fresh` it never takes an idle one, since
   * a stale keep-alive connection looks like a lost answer.
   *
   * @throws {@link HttpConnectError} when that fails; nothing has been sent then.
   */
  connect(
    url: URL,
    options: {
      readonly fresh: boolean;
      readonly timeoutMs: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<HttpConnection>;
  /**
   * An open connection that is as good as a fresh one: this process used it less than half a second ago, at a server that has shown in this
   * process that it keeps idle ones for longer. Undefined when there is none; left out where connections are not kept.
   */
  atHand?(url: URL): HttpConnection | undefined;
  /** Closes idle connections, and those in use once their exchange ends. */
  close(): void;
}
