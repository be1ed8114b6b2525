import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Call } from './api/route.ts';
import { whileStanding, type Standing, type Standings } from './standing.ts';

/** A request that was let in. Its signal is made when somebody asks for it: most answers are there at once. */
export class HeardCall implements Call {
  readonly caller: Call['caller'];
  readonly params: Call['params'];
  readonly query: unknown;
  body: unknown = undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #standings: Standings;
  #standing: Standing | undefined;
  #signal: AbortSignal | undefined;

  /** Its body comes later. */
  constructor(
    { caller, params, query, request, response }: Omit<Call, 'body' | 'signal'>,
    standings: Standings,
  ) {
    this.caller = caller;
    this.params = params;
    this.query = query;
    this.request = request;
    this.response = response;
    this.#standings = standings;
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    this.#standing = this.#standings.watch(this);
    this.#signal = whileStanding(goneFrom(this.response), this.#standing);
    return this.#signal;
  }

  /** Whether somebody asked for the signal, as whoever has to wait does. */
  get hasWaited(): boolean {
    return this.#signal !== undefined;
  }

  /** Its caller's standing is looked at no more. */
  end(): void {
    this.#standing?.stop();
  }
}

function goneFrom(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) gone.abort(new CallerGone());
  };
  if (response.destroyed) onClose();
  else response.once('close', onClose);
  return gone.signal;
}

/** The caller closed its connection before it had its answer. */
class CallerGone extends Error {
  override readonly name = 'CallerGone';
}
