import type { Socket } from 'node:net';
import { AnswerReader } from './http-answer.ts';
import { AnswerFault } from './http-head.ts';
import { encodeHead } from './http-request.ts';
import { systemClock } from './clock.ts';
import {
  HttpExchangeError,
  type HttpConnection,
  type HttpFailure,
  type HttpRequest,
  type HttpResponse,
} from './http.ts';

/** Options of one exchange. */
export type SendOptions = Parameters<HttpConnection['send']>[1];

/** An exchange under way on a channel. */
interface Exchange {
  readonly reader: AnswerReader;
  readonly succeed: (response: HttpResponse) => void;
  readonly fail: (failure: HttpFailure, message: string) => void;
}

/**
 * An open connection over its whole life: one exchange after another. Whatever happens on it between exchanges ends it, since no answer is
 * due then.
 */
export class Channel {
  readonly #socket: Socket;
  #exchange: Exchange | undefined;
  /** Whether the whole request has left. */
  #isWritten = true;
  #isOpen = true;
  /** Called when the connection ends outside an exchange. */
  onLost: (() => void) | undefined;

  /** When its last exchange ended, by both clocks; undefined before the first. */
  idleSince: { readonly wall: number; readonly steady: number } | undefined;

  /** @param socket - connected; belongs to the channel from now on. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#onBreak(error.code ?? error.message),
    );
    socket.on('close', () => this.#onBreak('ECONNRESET'));
  }

  /** Whether another exchange may be made on it. */
  get isOpen(): boolean {
    return this.#isOpen && this.#exchange === undefined && !this.#socket.destroyed;
  }

  /** Whether it holds the process while it waits. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.ref();
    else this.#socket.unref();
  }

  /** Ends it at once. */
  destroy(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  /** As {@link HttpConnection.send}; afterwards the channel is open for another exchange or destroyed. */
  send(url: URL, request: HttpRequest, options: SendOptions): Promise<HttpResponse> {
    const head = encodeHead(url, request);
    return new Promise((resolve, reject) => {
      const { timeoutMs, signal } = options;
      const reader = new AnswerReader(options.maxBytes);
      const settle = (): void => {
        this.#exchange = undefined;
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (failure: HttpFailure, message: string): void => {
        settle();
        this.destroy();
        reject(new HttpExchangeError(failure, message, reader.status, reader.partial));
      };
      const succeed = (response: HttpResponse): void => {
        settle();
        // An answer may come before the whole request has left; such a connection is in no state to be used again.
        if (!reader.isReusable || !this.#isWritten) this.destroy();
        resolve(response);
      };
      const onAbort = (): void => fail('aborted', 'the caller gave up');
      const timer = systemClock.timer(timeoutMs, () =>
        fail('timeout', `no complete answer within ${String(timeoutMs)} ms`),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#exchange = { reader, succeed, fail };
      this.#write(head, request.body ?? '', options.onSent);
    });
  }

  /** In one piece, so that it leaves in as few packets as can be. */
  #write(head: string, body: string, onSent: (() => void) | undefined): void {
    this.#isWritten = false;
    this.#socket.write(
      Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body, 'utf8')]),
      (error) => {
        if (error instanceof Error) return;
        this.#isWritten = true;
        onSent?.();
      },
    );
  }

  #onData(chunk: Buffer): void {
    const { reader, succeed, fail } = this.#exchange ?? {};
    if (reader === undefined || succeed === undefined || fail === undefined) {
      this.#lose();
      return;
    }
    try {
      reader.add(chunk);
      if (reader.isDone) succeed(reader.response());
    } catch (error) {
      if (!(error instanceof AnswerFault)) throw error;
      fail(error.failure, error.message);
    }
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#lose();
      return;
    }
    if (!exchange.reader.end()) {
      exchange.fail('reset', 'the connection broke (ECONNRESET)');
      return;
    }
    try {
      exchange.succeed(exchange.reader.response());
    } catch (error) {
      if (!(error instanceof AnswerFault)) throw error;
      exchange.fail(error.failure, error.message);
    }
  }

  #onBreak(code: string): void {
    if (this.#exchange === undefined) this.#lose();
    else this.#exchange.fail('reset', `the connection broke (${code})`);
  }

  #lose(): void {
    const wasOpen = this.#isOpen;
    this.destroy();
    if (wasOpen) this.onLost?.();
  }
}
