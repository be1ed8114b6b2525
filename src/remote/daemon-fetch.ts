import { nodeFetch, type OwnFetch } from '../system/fetch.ts';
import { errnoOf } from '../system/file-errors.ts';
import { authorizationOf, checkAddress, type DaemonAddress } from './daemon-address.ts';
import { failureOf } from './failure.ts';
import { assertOpen, type Way } from './way.ts';

/** The platform's `fetch`, which knows one daemon only. */
export class DaemonFetch {
  readonly #way: Way;
  #fetch: OwnFetch | undefined;

  /** Nothing is opened yet. */
  constructor(way: Way) {
    this.#way = way;
  }

  /**
   * Sends what `fetch` would send, and hands back what comes.
   *
   * @param target - path and query.
   * @throws {@link ServerUnavailableError} `ERR_DAEMON_UNREACHABLE`; {@link ConfigurationError} `ERR_KEEPER_CLOSED`; {@link StoreError}
   *   `ERR_STORE_UNSAFE`; the signal's reason; for what cannot be sent, whatever `fetch` throws.
   */
  async fetch(target: string, init: RequestInit): Promise<Response> {
    const { address, clock } = this.#way;
    assertOpen(this.#way);
    await checkAddress(address);
    assertOpen(this.#way);
    this.#fetch ??= nodeFetch(
      'socket' in address ? { socketPath: address.socket, clock } : address,
    );
    const headers = headersOf(init, address);
    const origin = 'socket' in address ? 'http://localhost' : address.url.origin;
    try {
      return await this.#fetch(`${origin}${target}`, { ...init, headers });
    } catch (error) {
      const signal = init.signal ?? undefined;
      if (signal?.aborted !== true && !isNetworkFault(error)) throw error;
      throw failureOf(error instanceof Error ? error.cause : error, this.#way, signal);
    }
  }

  /** Opens no more connections; what is under way comes to its end. Resolves then. */
  async close(): Promise<void> {
    await this.#fetch?.close();
  }
}

function headersOf(init: RequestInit, address: DaemonAddress): Headers {
  const headers = new Headers(init.headers);
  // The proxy passes none on, and the daemon would take it for a key.
  headers.delete('authorization');
  for (const [name, value] of Object.entries(authorizationOf(address))) headers.set(name, value);
  return headers;
}

/** `fetch` wraps what came between it and the daemon, which has a code, and so does what it could not send; other refusals it throws as they are. */
function isNetworkFault(error: unknown): boolean {
  const code = error instanceof TypeError ? errnoOf(error.cause) : undefined;
  return code !== undefined && !UNSENDABLE.has(code);
}

const UNSENDABLE: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);
