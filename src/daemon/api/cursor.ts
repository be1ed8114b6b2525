/*
 * A cursor is where a page ended, in a form that callers hand back and do not take apart.
 */

/** Makes one of the place where a page ended. */
export function toCursor(place: string): string {
  return Buffer.from(place).toString('base64url');
}

/** Reads one that {@link toCursor} made; of anything else comes some other text. */
export function fromCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8');
}
