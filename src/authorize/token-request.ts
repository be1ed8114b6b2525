import { exchange, type OpenOptions, type SendOptions } from '../token-endpoint/exchange.ts';
import type { TokenOutcome, TokenRequest } from '../oauth/outcome.ts';
import type { AuthorizeDeps, ObtainRequest } from './obtained.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 60_000;

/** What a token request came to, and when it left. */
export interface Exchanged {
  /** Named from the answer alone. */
  readonly outcome: TokenOutcome;
  /** Wall time just before the request left. */
  readonly sentAt: number;
}

/**
 * Makes one token request on a fresh connection, and never a second one: a code that is sent twice makes the server revoke what it issued
 * for it.
 *
 * @param parameters - those of the grant; they win over the provider's extra ones.
 * @throws the signal's reason when it aborts.
 * @see RFC 6749 section 4.1.2
 */
export async function requestTokens(
  deps: AuthorizeDeps,
  request: ObtainRequest,
  parameters: TokenRequest['parameters'],
): Promise<Exchanged> {
  deps.signal?.throwIfAborted();
  const { profile, clientId, authentication } = request;
  const sentAt = deps.clock.now();
  const outcome = await exchange(
    deps.http,
    {
      tokenEndpoint: profile.tokenEndpoint,
      clientId,
      authentication,
      parameters: { ...profile.tokenParameters, ...parameters },
    },
    exchangeOptions(deps, request),
  );
  if (outcome.kind !== 'refreshed') deps.signal?.throwIfAborted();
  return { outcome, sentAt };
}

/** How every exchange of a sign-in is made. */
export function exchangeOptions(
  deps: AuthorizeDeps,
  { profile }: ObtainRequest,
): OpenOptions & SendOptions {
  return {
    fresh: true,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    timeoutMs: ANSWER_TIMEOUT_MS,
    insecureLoopback: profile.insecureLoopback,
    dialect: profile.dialect,
    now: () => deps.clock.now(),
    requestId: deps.random.uuid(),
    signal: deps.signal,
  };
}
