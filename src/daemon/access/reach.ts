import { AccessRefusedError } from '../../errors.ts';
import type { BeginOptions } from '../../keeper-api.ts';
import type { Audit } from './audit.ts';
import { whyNot, type Caller } from './caller.ts';
import { coversAll } from './policy.ts';

/** What beginning or renewing a connection asks for, beyond the connection itself. */
export interface Demand {
  /** Whether it is for a connection that exists. */
  readonly isRenewal: boolean;
  /** A registration; undefined where it stays as it is. */
  readonly registration?: Pick<BeginOptions, 'client' | 'overrides'>;
  /** Scopes to ask for. */
  readonly scope?: string | readonly string[] | undefined;
  /** Whether whichever account signs in is taken. */
  readonly anyAccount?: boolean | undefined;
}

/** What is asked for, once the body is read. */
interface Order {
  /** Name of the route. */
  readonly what: string;
  /** The connection that is to be begun or renewed. */
  readonly connection: string;
  /** How. */
  readonly demand: Demand;
}

/**
 * Makes sure that a caller may begin or renew a connection of this name, and files what came of it, refused or not. Overrides say where secrets
 * are sent, also those that were stored before, so they are the owner's. A registration is shared: whoever gives its secret gives it to every
 * connection of it. And whoever gives a connection another registration, other scopes or another account changes what all others draw from it:
 * that is for callers who may manage all.
 *
 * @throws {@link AccessRefusedError} `ERR_ACCESS_FORBIDDEN`
 */
export async function admit(audit: Audit, caller: Caller, order: Order): Promise<void> {
  const { what, connection, demand } = order;
  const because = whyNot(caller, 'manage', connection);
  const beyond = because === undefined ? whyBeyond(caller, demand) : undefined;
  const refusedBecause = because ?? beyond;
  await audit.record({ caller, connection, verb: 'manage', what, refusedBecause });
  if (because !== undefined) throw forbidden(because);
  if (beyond !== undefined) throw refusal(beyond);
}

function whyBeyond({ policy }: Caller, demand: Demand): string | undefined {
  if (policy === undefined) return undefined;
  const { isRenewal, registration, scope, anyAccount = false } = demand;
  if (registration?.overrides !== undefined)
    return "overrides are for the owner, on the owner's socket";
  if (coversAll(policy)) return undefined;
  const isOther = registration !== undefined || scope !== undefined || anyAccount;
  if (isRenewal && isOther) return needsAll('another registration, scope or account takes');
  if (registration?.client.clientSecret !== undefined) return needsAll('a client secret takes');
  return undefined;
}

/** The refusal of more than a key is good for. */
export function forbidden(because: string): AccessRefusedError {
  return refusal(`${because}; ask its owner for another`);
}

function needsAll(what: string): string {
  return `${what} a key that is good for all connections`;
}

function refusal(message: string): AccessRefusedError {
  return new AccessRefusedError('ERR_ACCESS_FORBIDDEN', message);
}
