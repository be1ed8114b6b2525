import { createReadStream, promises as fs } from 'node:fs';
import type { Readable } from 'node:stream';

/** What a file that a person named holds. */
export interface InputFile {
  /** Its content. */
  readonly bytes: Buffer;
  /** Whether the group or others may read it. */
  readonly isReadableByOthers: boolean;
}

/** Thrown when an input is longer than its reader allows. */
export class InputTooLongError extends Error {
  override readonly name = 'InputTooLongError';
}

/**
 * Reads a file that a person named, wherever and whosever it is; pipes and devices too.
 *
 * @throws InputTooLongError beyond `mostBytes`, and the error of the operating system.
 */
export async function readInputFile(path: string, mostBytes: number): Promise<InputFile> {
  const handle = await fs.open(path, 'r');
  try {
    const stat = await handle.stat();
    const bytes = await readAll(handle.createReadStream({ autoClose: false }), mostBytes);
    return { bytes, isReadableByOthers: stat.isFile() && (stat.mode & 0o044) !== 0 };
  } finally {
    await handle.close();
  }
}

/** Reads a file descriptor that this process inherited, to its end. @throws as {@link readInputFile} */
export function readDescriptor(descriptor: number, mostBytes: number): Promise<Buffer> {
  return readAll(createReadStream('', { fd: descriptor, autoClose: false }), mostBytes);
}

/** Reads a stream to its end. @throws InputTooLongError beyond `mostBytes`, and whatever the stream throws. */
export async function readAll(stream: Readable, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as Buffer);
    length += bytes.length;
    if (length > mostBytes) throw new InputTooLongError(`more than ${String(mostBytes)} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
