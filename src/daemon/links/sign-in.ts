import type { Connection, ConsentPrompt, ReconnectOptions } from '../../keeper-api.ts';
import type { Clock } from '../../system/clock.ts';
import { outcomeOf, SignInEnded, type Outcome } from './outcome.ts';

/*
 * One attempt of a person to sign in. State, PKCE, issuer and account are the keeper's to check; here is how its questions reach a browser.
 */

/** How long the person may stay at the authorization server. */
export const SIGN_IN_MS = 600_000;

/** What a sign-in is for. */
export interface Order {
  /** Name of the connection. */
  readonly name: string;
  /** Takes another account for the right one as well. */
  readonly anyAccount: boolean;
  /** Begins the connection, or renews its grant, asking as told. */
  run(how: Required<Pick<ReconnectOptions, 'prompt' | 'signal'>>): Promise<Connection>;
}

/** What a sign-in works with. */
export interface SignInParts {
  /** Time. */
  readonly clock: Clock;
  /** Ends what nobody has answered. */
  readonly ending: AbortSignal;
  /** Told of what failed, before the person is told less. */
  failed(error: unknown): void;
}

/** One attempt. */
export class SignIn {
  /** Address of the authorization server for the person; undefined when it failed before. */
  readonly url: Promise<string | undefined>;
  /** What it comes to; never rejects. */
  readonly outcome: Promise<Outcome>;
  /** The same, once it is known. */
  ended: Outcome | undefined;
  readonly #over = new AbortController();
  #accept: ((parameters: URLSearchParams) => boolean) | undefined;
  /** The query that was the answer: a browser that loads the page again asks the same. */
  #answer: string | undefined;
  #accounts: { readonly now: string | undefined; readonly before: string | undefined } | undefined;

  /** Begins at once. */
  constructor(order: Order, redirectUri: string, parts: SignInParts) {
    const { clock, ending } = parts;
    const url = Promise.withResolvers<string | undefined>();
    this.url = url.promise;
    const limit = clock.timer(SIGN_IN_MS, () => this.#end('late'), { background: true });
    const onEnding = (): void => this.#end('stopped');
    ending.addEventListener('abort', onEnding, { once: true });
    const prompt = this.#prompt(order, redirectUri, url.resolve);
    this.outcome = this.#run(order, prompt, parts).then((outcome) => {
      limit.cancel();
      ending.removeEventListener('abort', onEnding);
      this.ended = outcome;
      url.resolve(undefined);
      return outcome;
    });
    if (ending.aborted) onEnding();
  }

  /** Whether this is the awaited answer, or is it once more. */
  accept(query: string): boolean {
    if (this.#answer !== undefined) return this.#answer === query;
    if (this.#accept?.(new URLSearchParams(query)) !== true) return false;
    this.#answer = query;
    return true;
  }

  /** Gives up waiting for the person. An answer that has come is worked on to its end. */
  stop(): void {
    this.#end('stopped');
  }

  /** Whether an answer has come. */
  get isAnswered(): boolean {
    return this.#answer !== undefined;
  }

  /** From the code on there may be tokens that exist nowhere else. */
  #end(kind: 'late' | 'stopped'): void {
    if (!this.isAnswered) this.#over.abort(new SignInEnded(kind));
  }

  #prompt(order: Order, uri: string, show: (url: string) => void): ConsentPrompt {
    return {
      receiver: {
        uri,
        listen: (accept) => {
          this.#accept = accept;
        },
      },
      authorize: ({ url }) => {
        show(url);
      },
      confirmSubject: async ({ now, before }) => {
        this.#accounts = { now, before };
        return order.anyAccount;
      },
    };
  }

  async #run(order: Order, prompt: ConsentPrompt, parts: SignInParts): Promise<Outcome> {
    try {
      const connection = await order.run({ prompt, signal: this.#over.signal });
      const { account } = await connection.status();
      return { kind: 'connected', account };
    } catch (error) {
      if (!(error instanceof SignInEnded)) parts.failed(error);
      return outcomeOf(error, this.#accounts);
    }
  }
}

/**
 * Tries how far a sign-in gets without a person, so that what the operator must mend is told to the operator, not to the person.
 *
 * @throws whatever the sign-in fails with before anybody is asked.
 */
export async function rehearse(
  order: Order,
  redirectUri: string,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const enough = new SignInEnded('stopped');
  const prompt: ConsentPrompt = {
    receiver: { uri: redirectUri, listen: () => undefined },
    authorize: () => {
      over.abort(enough);
    },
  };
  try {
    await order.run({ prompt, signal: AbortSignal.any([over.signal, signal]) });
  } catch (error) {
    if (error !== enough) throw error;
  }
}
