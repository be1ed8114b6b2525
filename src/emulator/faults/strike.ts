import type { Answer } from '../http/answer.ts';
import type { Exchange } from '../http/exchange.ts';

/** What a fault does to one request. */
export interface Strike {
  /** Whether the server carries the request out. */
  readonly commits: boolean;
  /** On which side of the commit the request waits for `release()`. */
  readonly holds?: 'before' | 'after';
  /** Turns the server's answer into what is sent; there is none when the server did not carry the request out. */
  answer(given: Answer | undefined, exchange: Exchange): Answer;
}
