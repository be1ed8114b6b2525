import { AccessRefusedError } from '../../errors.ts';
import type { BeginOptions } from '../../keeper-api.ts';
import { whyNot, type Caller } from './caller.ts';
import { coversAll } from './policy.ts';

/** What beginning or renewing a connection asks for, beyond the connection itself. */
export interface Demand {
  /** A registration; undefined where it stays as it is. */
  readonly registration?: Pick<BeginOptions, 'client' | 'overrides'>;
  /** Scopes in place of those that a connection was given. */
  readonly otherScope?: string | readonly string[] | undefined;
}

/**
 * Makes sure that a caller may begin or renew a connection of this name. A registration is shared: whoever gives its secret gives it to every
 * connection of it. Whoever names endpoints has this machine call them. Whoever asks for other scopes changes what all others who draw from the
 * connection may do. These are for callers who may manage all.
 *
 * @throws {@link AccessRefusedError} `ERR_ACCESS_FORBIDDEN`
 */
export function checkReach(caller: Caller, name: string, demand: Demand): void {
  const because = whyNot(caller, 'manage', name);
  if (because !== undefined) throw forbidden(because);
  const { policy } = caller;
  if (policy === undefined || coversAll(policy)) return;
  if (demand.otherScope !== undefined) throw needsAll('other scopes take');
  const { client, overrides } = demand.registration ?? {};
  if (client?.clientSecret === undefined && overrides === undefined) return;
  throw needsAll('a client secret or overrides take');
}

/** The refusal of more than a key is good for. */
export function forbidden(because: string): AccessRefusedError {
  return new AccessRefusedError('ERR_ACCESS_FORBIDDEN', `${because}; ask its owner for another`);
}

function needsAll(what: string): AccessRefusedError {
  return new AccessRefusedError(
    'ERR_ACCESS_FORBIDDEN',
    `${what} a key that is good for all connections`,
  );
}
