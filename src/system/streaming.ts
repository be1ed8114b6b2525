import type { Readable } from 'node:stream';

/*
 * Exchanges whose bodies are streams, for whoever passes them on: nothing is read ahead, kept, decoded, redirected or sent twice.
 */

/** A request. */
export interface StreamedRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, sent as they are. */
  readonly path: string;
  /** Method. */
  readonly method: string;
  /** Names and values in turns; neither `Host` nor a field about the connection. */
  readonly headers: string[];
  /** The body; its length is that of a `content-length` among the headers, or else it is sent in chunks. */
  readonly body: Readable | undefined;
  /** Ends the exchange at any time. */
  readonly signal: AbortSignal | undefined;
}

/** The head of an answer, and its body to come. */
export interface StreamedAnswer {
  /** HTTP status, from 200 on. */
  readonly status: number;
  /** Names and values in turns, as they came. */
  readonly headers: readonly string[];
  /** The body as it came, encoded or not; must be read or destroyed. Destroying it ends the exchange. */
  readonly body: Readable;
  /** What an error means that reading the body ended with. */
  failureOf(error: unknown): StreamingError;
  /** Gets rid of the body; keeps the connection where that is cheap. Never rejects. */
  discard(): Promise<void>;
}

/**
 * Why an exchange failed. `unsendable`: the request itself is at fault. `forbidden`: its host's name leads to an address that it may not lead to.
 * `unreachable`: nothing was sent, as with the two before.
 */
export type StreamingFailure =
  'unsendable' | 'forbidden' | 'unreachable' | 'timeout' | 'broken' | 'invalid';

/** An exchange that failed; holds nothing of what was sent. */
export class StreamingError extends Error {
  override readonly name = 'StreamingError';
  /** Why. */
  readonly failure: StreamingFailure;

  /** @param code - as the system or the library names it. */
  constructor(failure: StreamingFailure, code: string) {
    super(code);
    this.failure = failure;
  }
}

/** Makes exchanges. */
export interface Streaming {
  /** Resolves with the head. @throws {@link StreamingError}; the signal's reason when it aborts. */
  request(request: StreamedRequest): Promise<StreamedAnswer>;
  /** Ends all connections. */
  close(): Promise<void>;
}
