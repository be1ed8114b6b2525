import { ConfigurationError } from '../errors.ts';

/**
 * Listeners of events, of which `M` says what each is told. What a listener throws stops nobody else; it is reported as an unhandled rejection,
 * which ends most processes, so not while work is under way that must be finished.
 */
export class Listeners<M extends object> {
  /** Resolves when the process may end. */
  whenSafe: () => Promise<unknown> = () => Promise.resolve();
  readonly #listeners = new Map<keyof M, Set<(detail: never) => void>>();

  /**
   * Adds a listener.
   *
   * @returns a function that removes it.
   * @throws {@link ConfigurationError} `ERR_ARGUMENT` for one that could not be called: the event would end the process.
   */
  on<E extends keyof M>(event: E, listener: (detail: M[E]) => void): () => void {
    if (typeof (listener as unknown) !== 'function') {
      throw new ConfigurationError(
        'ERR_ARGUMENT',
        `the listener of ${String(event)} is no function`,
      );
    }
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(listener);
    return () => void set.delete(listener);
  }

  /** Tells all listeners of an event. */
  emit<E extends keyof M>(event: E, detail: M[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as (detail: M[E]) => void)(detail);
      } catch (error) {
        void this.whenSafe().then(() => {
          throw error;
        });
      }
    }
  }
}
