import { writeSync } from 'node:fs';

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
