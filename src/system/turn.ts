/** Calls back once the events that are already waiting have been handled, so that work they bring can be done together. */
export function endOfTurn(callback: () => void): void {
  setImmediate(callback);
}
