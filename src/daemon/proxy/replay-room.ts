import { sabotaged } from '#failpoints';

/** What bodies that are kept for a repetition may take together. */
const MOST_BYTES = 16 * 1024 * 1024;
/** What a piece takes besides its bytes, with a good margin. */
const PIECE_BYTES = 512;

/** The memory that all calls share for bodies which may have to be sent a second time. Where there is none left, a call has no second time. */
export class ReplayRoom {
  readonly #mostBytes: number;
  #taken = 0;

  /** @param mostBytes - of all bodies together; 16 MiB by default. */
  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** Bytes in use. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes room for a piece. @returns whether there was any. */
  take(piece: Buffer): boolean {
    const next = this.#taken + sizeOf(piece);
    if (next > this.#mostBytes && !sabotaged('replay-room')) return false;
    this.#taken = next;
    return true;
  }

  /** Gives back what was taken for pieces. */
  giveBack(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.#taken -= sizeOf(piece);
  }
}

function sizeOf({ length }: Buffer): number {
  return length + PIECE_BYTES;
}
