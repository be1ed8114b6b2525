import { AccessRefusedError } from '../../errors.ts';
import type { BeginOptions } from '../../keeper-api.ts';
import { whyNot, type Caller } from './caller.ts';

/**
 * Makes sure that a caller may begin or renew a connection of this name. A registration is shared: whoever gives its secret gives it to every
 * connection of it. And whoever names endpoints has this machine call them. Both are for callers who may manage all.
 *
 * @param options - undefined where the registration stays as it is.
 * @throws {@link AccessRefusedError} `ERR_ACCESS_FORBIDDEN`
 */
export function checkReach(
  caller: Caller,
  name: string,
  options: Pick<BeginOptions, 'client' | 'overrides'> | undefined,
): void {
  const because = whyNot(caller, 'manage', name);
  if (because !== undefined)
    throw new AccessRefusedError('ERR_ACCESS_FORBIDDEN', `${because}; ask its owner for another`);
  const { policy } = caller;
  if (options === undefined || policy === undefined || policy.connections.includes('*')) return;
  if (options.client.clientSecret === undefined && options.overrides === undefined) return;
  throw new AccessRefusedError(
    'ERR_ACCESS_FORBIDDEN',
    'a client secret or overrides take a key that is good for all connections',
  );
}
