import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** The longest body that is kept for a repetition. */
export const MOST_KEPT_BYTES = 1024 * 1024;
/** A body that comes byte by byte would take a hundred times its length. */
const MOST_PIECES = 4_096;

/**
 * The body of a request, which can be sent a second time as long as what was read of it is not too long. It is kept while it streams; nothing is
 * read before somebody asks for it.
 */
export class ReplayableBody {
  readonly #source: IncomingMessage;
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #current: Readable | undefined;

  /** @param announcedBytes - its length where that is known; a body that is too long is not kept at all. */
  constructor(source: IncomingMessage, announcedBytes: number | undefined) {
    this.#source = source;
    if ((announcedBytes ?? 0) > MOST_KEPT_BYTES) this.#kept = undefined;
    source.on('data', (chunk: Buffer) => this.#add(chunk));
    source.on('end', () => this.#current?.push(null));
    source.on('error', () => undefined);
    source.on('close', () => {
      if (!source.complete) this.#current?.destroy(new Error('the caller went away'));
    });
    source.pause();
  }

  /** Whether {@link ReplayableBody.open} can be called once more. */
  get isReplayable(): boolean {
    return this.#kept !== undefined && (this.#source.complete || !this.#source.destroyed);
  }

  /** The body from its beginning. Ends what was opened before. */
  open(): Readable {
    const before = [...(this.#kept ?? [])];
    let next = 0;
    const source = this.#source;
    this.#current?.destroy();
    const current = new Readable({
      read() {
        while (next < before.length) if (!this.push(before[next++])) return;
        if (source.readableEnded) this.push(null);
        else source.resume();
      },
      destroy: (error, callback) => {
        if (this.#current === current) this.#current = undefined;
        source.pause();
        callback(error);
      },
    });
    this.#current = current;
    return current;
  }

  /** Forgets what was kept: nothing will be repeated. */
  release(): void {
    this.#kept = undefined;
  }

  #add(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    this.#kept?.push(chunk);
    const isTooMuch = this.#keptBytes > MOST_KEPT_BYTES || (this.#kept?.length ?? 0) > MOST_PIECES;
    if (isTooMuch) this.#kept = undefined;
    if (this.#current?.push(chunk) === false) this.#source.pause();
  }
}
