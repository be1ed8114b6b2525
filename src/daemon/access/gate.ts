import type { ServerResponse } from 'node:http';
import { AccessRefusedError, ServerUnavailableError } from '../../errors.ts';
import type { AccessStore, Verb } from '../../store/access-store.ts';
import type { Clock } from '../../system/clock.ts';
import type { Audit } from './audit.ts';
import { ANYONE, OWNER, UNKNOWN, whyNot, whyNotAll, type Caller } from './caller.ts';
import { enterBySession, type BrowserRequest } from '../browser/entrance.ts';
import type { Sessions } from '../browser/sessions.ts';
import { isSameKey, readKey, whyEnded } from './key.ts';
import type { Rates } from './rate.ts';
import { forbidden } from './reach.ts';
import type { CallsUnderWay } from './under-way.ts';

/*
 * Who comes in, and what for. One place decides for all routes, before a body is read.
 */

/**
 * What a route needs its caller to be allowed. `named`: with the connection in its path. `all`: with every connection. `some`: with any; the
 * route itself leaves out what the caller does not reach. `caller`: any key will do; `anyone`: none is needed. Where the body says what is asked
 * for, the route files it once that is read, as `admit` does.
 */
export type Access =
  | 'anyone'
  | 'caller'
  | {
      readonly verb: Verb;
      readonly reach: 'named' | 'all' | 'some';
      readonly isFiledByRoute?: true;
    };

/** What is asked of the gate. */
export interface Entry {
  /** What the route needs. */
  readonly access: Access;
  /** Name of the route. */
  readonly what: string;
  /** The connection in its path. */
  readonly connection: string | undefined;
  /** The message, for its key or its session. */
  readonly request: BrowserRequest;
  /** Its answer: while that is not over, the call is under way. */
  readonly response: Pick<ServerResponse, 'once'>;
  /** Whether it came through the owner's socket. */
  readonly isOwners: boolean;
}

/** What the gate works with. */
export interface GateParts {
  /** Keys. */
  readonly access: AccessStore;
  /** What was drawn. */
  readonly audit: Audit;
  /** Who is signed in at a browser. */
  readonly sessions: Sessions;
  /** How often keys are used. */
  readonly rates: Rates;
  /** What they have under way. */
  readonly underWay: CallsUnderWay;
  /** Time. */
  readonly clock: Clock;
}

/**
 * Lets a caller in, or says why not. Refusals, and whatever is more than reading, are audited.
 *
 * @throws {@link AccessRefusedError} `ERR_ACCESS_REFUSED` without a good key, `ERR_ACCESS_FORBIDDEN` for more than the key is good for;
 *   {@link ServerUnavailableError} `ERR_RATE_EXCEEDED` for more often, `ERR_CALLS_EXCEEDED` for more at once.
 */
export async function enter(parts: GateParts, entry: Entry): Promise<Caller> {
  const { access, connection, what } = entry;
  if (access === 'anyone') return ANYONE;
  const verb = access === 'caller' ? 'read' : access.verb;
  const file = (caller: Caller, refusedBecause?: string): Promise<void> =>
    parts.audit.record({ caller, connection, verb, what, refusedBecause });
  const { caller, refusal } = identify(parts, entry);
  if (refusal !== undefined) {
    await parts.audit.record({ caller, ...AT_THE_DOOR, refusedBecause: refusal });
    throw new AccessRefusedError('ERR_ACCESS_REFUSED', refusal);
  }
  // Before the rest, so that what is refused counts as well.
  const excess = excessOf(parts, caller, entry);
  if (excess !== undefined) {
    const retryAt = parts.clock.now() + excess.waitMs;
    await file(caller, excess.because);
    throw new ServerUnavailableError(excess.code, excess.message, { retryAt });
  }
  const because = judge(caller, entry);
  if (because !== undefined) {
    await file(caller, because);
    throw forbidden(because);
  }
  // A call is filed by the proxy, which knows where it goes.
  const isFiledLater = verb === 'proxy' || (access !== 'caller' && access.isFiledByRoute === true);
  if (verb !== 'read' && !isFiledLater) await file(caller);
  return caller;
}

/** What is filed of whoever has no good key: nothing that it can choose, or it could fill the audit and push out what is in it. */
const AT_THE_DOOR = { connection: undefined, verb: 'read', what: 'enter' } as const;

function identify(
  { access, clock, sessions }: GateParts,
  { request, isOwners }: Entry,
): { readonly caller: Caller; readonly refusal?: string } {
  const { authorization } = request.headers;
  if (authorization === undefined) {
    if (isOwners) return { caller: OWNER };
    const entrance = enterBySession(sessions, request);
    if (entrance !== undefined) return { caller: UNKNOWN, ...entrance };
    return { caller: UNKNOWN, refusal: 'a key is needed; evergrant key-for makes one' };
  }
  const presented = readKey(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? '');
  if (presented === undefined) return { caller: UNKNOWN, refusal: 'this is no key of evergrant' };
  const key = access.key(presented.id);
  if (!isSameKey(presented, key) || key === undefined)
    return { caller: UNKNOWN, refusal: 'this key is not known' };
  const { id: keyId, name, policy } = key;
  const caller = { name, keyId, policy };
  const refusal = whyEnded(key, clock.now());
  return refusal === undefined ? { caller } : { caller, refusal };
}

function judge(caller: Caller, { access, what, connection }: Entry): string | undefined {
  if (caller.operations?.has(what) === false) return 'this is nothing that a browser may do';
  if (typeof access === 'string') return undefined;
  const { verb, reach } = access;
  if (reach === 'all') return whyNotAll(caller, verb);
  if (reach === 'named') return whyNot(caller, verb, connection ?? '');
  const { policy } = caller;
  const has = policy === undefined || policy.verbs.includes(verb);
  return has ? undefined : `this key is not good for ${verb}`;
}

/** When a call will have ended nobody knows; so soon it may be tried again. */
const PLACE_WAIT_MS = 1_000;

interface Excess {
  readonly code: 'ERR_RATE_EXCEEDED' | 'ERR_CALLS_EXCEEDED';
  readonly because: string;
  readonly message: string;
  readonly waitMs: number;
}

/** What is too much of a call, besides what it asks for. All browsers that are signed in count as one key; the owner has no bound. */
function excessOf(
  { rates, underWay }: GateParts,
  { name, keyId, policy }: Caller,
  { response }: Entry,
): Excess | undefined {
  if (policy === undefined) return undefined;
  const hasRate = keyId !== undefined && policy.rate !== undefined;
  const waitMs = hasRate ? rates.take(keyId, policy.rate) : 0;
  if (waitMs > 0)
    return {
      code: 'ERR_RATE_EXCEEDED',
      because: 'too often',
      message: 'this key is used more often than it may; slow down',
      waitMs,
    };
  if (underWay.take(keyId ?? name, response)) return undefined;
  return {
    code: 'ERR_CALLS_EXCEEDED',
    because: 'too many calls at once',
    message: `this key has ${String(underWay.mostPerKey)} calls under way, as many as it may; wait until one has ended`,
    waitMs: PLACE_WAIT_MS,
  };
}
