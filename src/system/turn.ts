/** Calls back once the events that are already waiting have been handled, so that work they bring can be done together. */
export function endOfTurn(callback: () => void): void {
  setImmediate(callback);
}

/**
 * Resolves once everything has been heard that had happened before the call, such as the end of a connection, even while this process was busy.
 * Two turns: the events of the first may have been fetched before.
 */
export function allHeard(): Promise<void> {
  return new Promise((resolve) => endOfTurn(() => endOfTurn(resolve)));
}

/** Resolves once the events that are already waiting have been handled: long work lets others have their turn. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => endOfTurn(resolve));
}
