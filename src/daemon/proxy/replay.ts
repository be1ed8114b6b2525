import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { ReplayRoom } from './replay-room.ts';

/** The longest body that is kept for a repetition. */
export const MOST_KEPT_BYTES = 1024 * 1024;
/** A body that comes byte by byte would take a hundred times its length. */
const MOST_PIECES = 4_096;

/**
 * The body of a request, which can be sent a second time as long as what was read of it is not too long and there is room to keep it. It is kept
 * while it streams; nothing is read before somebody asks for it.
 */
export class ReplayableBody {
  readonly #source: IncomingMessage;
  readonly #room: ReplayRoom;
  #kept: Buffer[] | undefined = [];
  #keptBytes = 0;
  #isOpened = false;
  #current: Readable | undefined;

  /** @param announcedBytes - its length where that is known; a body that is too long is not kept at all. */
  constructor(source: IncomingMessage, announcedBytes: number | undefined, room: ReplayRoom) {
    this.#source = source;
    this.#room = room;
    if ((announcedBytes ?? 0) > MOST_KEPT_BYTES) this.#kept = undefined;
    source.on('data', (chunk: Buffer) => this.#add(chunk));
    source.on('end', () => this.#current?.push(null));
    source.on('error', () => undefined);
    source.on('close', () => {
      if (!source.complete) this.#current?.destroy(new Error('the caller went away'));
    });
    source.pause();
  }

  /** Whether {@link ReplayableBody.open} can be called a second time. */
  get isReplayable(): boolean {
    return this.#kept !== undefined && (this.#source.complete || !this.#source.destroyed);
  }

  /** The body from its beginning. Ends what was opened before; the second time nothing is kept for a third. */
  open(): Readable {
    const [source, room] = [this.#source, this.#room];
    const before = this.#isOpened ? (this.#kept ?? []) : [];
    if (this.#isOpened) this.#kept = undefined;
    this.#isOpened = true;
    this.#current?.destroy();
    const current = new Readable({
      read() {
        for (let piece = before.shift(); piece !== undefined; piece = before.shift()) {
          room.giveBack([piece]);
          if (!this.push(piece)) return;
        }
        if (source.readableEnded) this.push(null);
        else source.resume();
      },
      destroy: (error, callback) => {
        room.giveBack(before.splice(0));
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
    this.#room.giveBack(this.#kept ?? []);
    this.#kept = undefined;
  }

  /** Ends it, however far it was sent. */
  close(): void {
    this.release();
    this.#current?.destroy();
  }

  #add(chunk: Buffer): void {
    this.#keep(chunk);
    if (this.#current?.push(chunk) === false) this.#source.pause();
  }

  #keep(chunk: Buffer): void {
    if (this.#kept === undefined) return;
    this.#keptBytes += chunk.length;
    const isTooMuch = this.#keptBytes > MOST_KEPT_BYTES || this.#kept.length >= MOST_PIECES;
    if (!isTooMuch && this.#room.take(chunk)) this.#kept.push(chunk);
    else this.release();
  }
}
