import { sabotaged } from '#failpoints';
import type { ServerResponse } from 'node:http';

/** Calls of one key that may be under way at once, unless told otherwise. */
export const CALLS_PER_KEY = 100;

/** Counts the calls that are under way, in this process: one key that asks for much at once must not use up what all others need. */
export class CallsUnderWay {
  /** Most of one key. */
  mostPerKey = CALLS_PER_KEY;
  readonly #counts = new Map<string, number>();

  /** Takes a place until the answer is over, or whoever waited for it is gone. @returns whether there was one. */
  take(holder: string, answer: Pick<ServerResponse, 'once'>): boolean {
    const count = this.#counts.get(holder) ?? 0;
    if (count >= this.mostPerKey && !sabotaged('calls-under-way')) return false;
    this.#counts.set(holder, count + 1);
    answer.once('close', () => this.#giveBack(holder));
    return true;
  }

  #giveBack(holder: string): void {
    const count = this.#counts.get(holder) ?? 0;
    if (count > 1) this.#counts.set(holder, count - 1);
    else this.#counts.delete(holder);
  }
}
