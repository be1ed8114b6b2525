/*
 * Instants as text. The real `Date` is named in src/system alone; these functions only write down an instant that somebody else read.
 */

/** `2026-01-02T03:04:05.678Z`. */
export function isoInstant(at: number): string {
  return new Date(at).toISOString();
}

/** The form HTTP headers use, such as `Fri, 02 Jan 2026 03:04:05 GMT`; whole seconds. @see RFC 9110 section 5.6.7 */
export function httpDate(at: number): string {
  return new Date(at).toUTCString();
}

/** The `Date` object that some libraries ask for. */
export function dateOf(at: number): Date {
  return new Date(at);
}
