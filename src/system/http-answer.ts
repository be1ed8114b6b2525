import { sabotaged } from '#failpoints';
import { AnswerFault, isField, parseHead, type Head } from './http-head.ts';
import type { HttpResponse } from './http.ts';

/*
 * Reads one HTTP/1.1 answer, as it comes, and nothing that is not plainly one: no folded fields, no bare line ends, no length said twice,
 * no length beside chunks, no trailers taken over. What two readers could read differently is refused.
 */

const MOST_HEADER_BYTES = 16 * 1024;
const HEAD_END = '\r\n\r\n';
/** Extensions mean nothing to us, but must be well-formed. @see RFC 9112 section 7.1.1 */
const CHUNK_SIZE =
  /^([0-9A-Fa-f]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)*$/;
const LONGEST_CHUNK_LINE = 256;

/** Takes the bytes of one answer. */
export class AnswerReader {
  readonly #limit: number;
  #pending: Buffer = Buffer.alloc(0);
  #headBytes = 0;
  #head: Head | undefined;
  #body: Buffer[] = [];
  #length = 0;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #due = 0;
  #part: 'head' | 'counted' | 'untilEnd' | 'size' | 'chunk' | 'chunkEnd' | 'trailers' | 'done' =
    'head';

  /** @param maxBytes - the longest body that is taken. */
  constructor(maxBytes: number) {
    this.#limit = maxBytes;
  }

  /** Status code, once the head has come. */
  get status(): number | undefined {
    return this.#head?.status;
  }

  /** Whether the whole answer is here. */
  get isDone(): boolean {
    return this.#part === 'done';
  }

  /** Whether the connection is fit for another exchange: the answer is whole, nothing followed it, and the server did not say close. */
  get isReusable(): boolean {
    if (!this.isDone || this.#head === undefined || this.#head.isOld) return false;
    const tokens = this.#head.fields['connection']?.toLowerCase().split(/[\t ]*,[\t ]*/) ?? [];
    return this.#pending.length === 0 && !tokens.includes('close');
  }

  /** What came of the body; undefined when nothing did. */
  get partial(): Uint8Array | undefined {
    return this.#length === 0 ? undefined : this.#bytes();
  }

  /** The whole answer. Call once it is done. */
  response(): HttpResponse {
    const { status = 0, fields: headers = {} } = this.#head ?? {};
    const coding = headers['content-encoding'] ?? 'identity';
    if (coding.toLowerCase() !== 'identity')
      throw malformed('is compressed, which was not asked for');
    return { status, headers, body: this.#bytes() };
  }

  /** Takes what came. @throws {@link AnswerFault} */
  add(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#step());
  }

  /** The server ended the connection. @returns whether the answer is whole by that. */
  end(): boolean {
    if (this.#part === 'untilEnd') this.#part = 'done';
    return this.isDone;
  }

  /** @returns whether another step may be possible with what is here. */
  #step(): boolean {
    switch (this.#part) {
      case 'head':
        return this.#readHead();
      case 'counted':
        return this.#take() && this.#goOn('done');
      case 'chunk':
        return this.#take() && this.#goOn('chunkEnd');
      case 'untilEnd':
        this.#due = this.#pending.length;
        this.#take();
        return false;
      case 'size':
        return this.#readSize();
      case 'chunkEnd':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailer();
      case 'done':
        return false;
    }
  }

  #goOn(part: 'done' | 'chunkEnd'): boolean {
    this.#part = part;
    return part !== 'done';
  }

  #readHead(): boolean {
    const end = this.#pending.indexOf(HEAD_END, 0, 'latin1');
    const size = end < 0 ? this.#pending.length : end + HEAD_END.length;
    if (this.#headBytes + size > MOST_HEADER_BYTES) throw tooLong();
    if (end < 0) {
      if (!mayBeginAnswer(this.#pending)) throw malformed('is no HTTP');
      return false;
    }
    const head = parseHead(this.#pending.toString('latin1', 0, end));
    this.#pending = this.#pending.subarray(size);
    this.#headBytes += size;
    if (head.status === 101) throw malformed('changes the protocol, which was not asked for');
    // An interim answer comes before the one that counts; HTTP/1.0 has none.
    if (head.status < 200 && head.isOld) throw malformed('is an interim one of HTTP/1.0');
    if (head.status < 200) return true;
    this.#head = head;
    this.#begin(head);
    return true;
  }

  /** @see RFC 9112 section 6.3 */
  #begin({ status, isOld, fields }: Head): void {
    const coding = fields['transfer-encoding'];
    const length = fields['content-length'];
    if (coding !== undefined) {
      if (length !== undefined || isOld || coding.toLowerCase() !== 'chunked')
        throw malformed('does not say clearly where it ends');
      this.#part = 'size';
    } else if (length !== undefined) {
      if (!/^\d{1,15}$/.test(length)) throw malformed('does not say clearly how long it is');
      this.#due = Number(length);
      this.#part = 'counted';
    } else {
      this.#part = 'untilEnd';
    }
    if (status === 204 || status === 304) this.#part = 'done';
  }

  /** Takes what is here of the bytes that are due. @returns whether all are. */
  #take(): boolean {
    const taken = this.#pending.subarray(0, this.#due);
    const room = sabotaged('size-cap') ? Infinity : this.#limit - this.#length;
    if (taken.length > 0) {
      this.#body.push(taken.subarray(0, room));
      this.#length += Math.min(taken.length, room);
    }
    if (taken.length > room) throw tooLarge(this.#limit);
    this.#pending = this.#pending.subarray(taken.length);
    this.#due -= taken.length;
    return this.#due === 0;
  }

  #readSize(): boolean {
    const line = this.#line(LONGEST_CHUNK_LINE);
    if (line === undefined) return false;
    const size = CHUNK_SIZE.exec(line)?.[1];
    if (size === undefined) throw malformed('has a broken chunk');
    this.#due = Number.parseInt(size, 16);
    this.#part = this.#due === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.#pending.length < 2) return false;
    if (this.#line(0) === undefined) throw malformed('has a broken chunk');
    this.#part = 'size';
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#line(MOST_HEADER_BYTES - this.#headBytes);
    if (line === undefined) return false;
    this.#headBytes += line.length + 2;
    if (line === '') this.#part = 'done';
    else if (!isField(line)) throw malformed('has a broken trailer');
    return true;
  }

  /** Takes a line; undefined when its end has not come yet. */
  #line(most: number): string | undefined {
    const end = this.#pending.indexOf('\r\n', 0, 'latin1');
    if ((end < 0 ? this.#pending.length - 1 : end) > most) throw malformed('has a broken chunk');
    if (end < 0) return undefined;
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    return line;
  }

  #bytes(): Uint8Array {
    const [only] = this.#body;
    return new Uint8Array(
      this.#body.length === 1 && only !== undefined ? only : Buffer.concat(this.#body),
    );
  }
}

function mayBeginAnswer(bytes: Buffer): boolean {
  const begin = 'HTTP/1.';
  const some = bytes.toString('latin1', 0, begin.length);
  return begin.startsWith(some);
}

function malformed(fault: string): AnswerFault {
  return new AnswerFault('malformed', `the answer ${fault}`);
}

function tooLong(): AnswerFault {
  return new AnswerFault(
    'too_large',
    `the answer's header exceeds ${String(MOST_HEADER_BYTES)} bytes`,
  );
}

function tooLarge(limit: number): AnswerFault {
  return new AnswerFault('too_large', `the answer exceeds ${String(limit)} bytes`);
}
