import { closeSync, openSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';

/**
 * Writes to standard output without making a stream of it, which takes longer than writing.
 *
 * @returns what could not be written, for the stream to try: the reader is slow or gone, or the disk is full.
 */
export function writeAtOnce(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written);
  } catch {
    // The stream meets the same fault, and waits or tells it.
  }
  return bytes.toString('utf8', written);
}

/**
 * Closes standard output, so that whoever reads it to its end need not wait for the end of this process. What is printed later is lost.
 *
 * @throws Error when the system reports only now that something printed was not written.
 */
export function closeStandardOutput(): void {
  try {
    closeSync(1);
  } finally {
    // Its number must not become that of a file which somebody opens next: Node still takes it for standard output.
    openSync(devNull, 'w');
  }
}
