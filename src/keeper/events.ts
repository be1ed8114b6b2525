import type { KeeperEvents } from '../keeper-api.ts';

type Listener<E extends keyof KeeperEvents> = (event: KeeperEvents[E]) => void;

/**
 * Listeners of a keeper. What a listener throws stops nobody else; it is reported as an unhandled rejection, which ends most processes, so
 * not while an answer is under way that may hold the only copy of a token.
 */
export class Events {
  /** Resolves when the process may end. */
  whenSafe: () => Promise<unknown> = () => Promise.resolve();
  readonly #listeners = new Map<keyof KeeperEvents, Set<Listener<never>>>();

  /** Adds a listener. @returns a function that removes it. */
  on<E extends keyof KeeperEvents>(event: E, listener: Listener<E>): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(listener);
    return () => void set.delete(listener);
  }

  /** Tells all listeners of an event. */
  emit<E extends keyof KeeperEvents>(event: E, detail: KeeperEvents[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as Listener<E>)(detail);
      } catch (error) {
        void this.whenSafe().then(() => {
          throw error;
        });
      }
    }
  }
}
