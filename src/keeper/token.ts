import type { AccessToken } from '../access-token.ts';
import type { TokenOptions } from '../keeper-api.ts';
import type { Patience } from '../refresh/wait.ts';
import { checkMs } from '../system/arguments.ts';
import type { HandleParts } from './handle-parts.ts';

/*
 * Handing out a token. None of it belongs to a handle: one that is made for a single call can then do without room on the heap.
 */

/** How long a caller without a wish of its own waits for a token. */
export const TOKEN_PATIENCE_MS = 30_000;

/**
 * The token in memory, else the one that all who ask now wait for together.
 *
 * @param spent - one that was just found not to be served: ten thousand who wait would each find that twice.
 */
export function tokenLater(
  parts: HandleParts,
  name: string,
  spent?: AccessToken,
): Promise<AccessToken> {
  const { engine, memory, server } = parts;
  const known = memory.lastKnown(name);
  const served = known && known !== spent ? memory.serve(known) : undefined;
  if (served !== undefined) return served;
  if (engine.closing.aborted) return tokenWith(parts, name, {});
  return server.tokenTogether(name, TOKEN_PATIENCE_MS);
}

/** A token as the options want it. @throws {@link ConfigurationError} `ERR_ARGUMENT` for a duration that is none. */
export async function tokenWith(
  parts: HandleParts,
  name: string,
  options: TokenOptions,
): Promise<AccessToken> {
  const { memory, server } = parts;
  const known = options.minLifeMs === undefined ? memory.lastKnown(name) : undefined;
  const served = known && memory.serve(known);
  if (served !== undefined) return served;
  parts.assertOpen();
  const minLifeMs = checkMs(options.minLifeMs, 'minLifeMs');
  return server.token(name, minLifeMs, patienceOf(parts, options, TOKEN_PATIENCE_MS));
}

/** Until when a caller waits. @throws {@link ConfigurationError} `ERR_ARGUMENT` for a time that is none. */
export function patienceOf(
  { engine }: HandleParts,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  byDefaultMs: number,
): Patience {
  const timeoutMs = checkMs(options.timeoutMs, 'timeoutMs') ?? byDefaultMs;
  return { deadline: engine.clock.monotonic() + timeoutMs, signal: options.signal };
}
