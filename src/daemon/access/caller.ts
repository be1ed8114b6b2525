import type { Policy, Verb } from '../../store/access-store.ts';
import { coversAll, refusalOf } from './policy.ts';

/** What the audit calls those who have no key; no key is made for anybody of these names. */
export const KEYLESS = ['owner', 'anyone', 'unknown', 'dashboard'] as const;
/** See {@link KEYLESS}. */
export type Keyless = (typeof KEYLESS)[number];

/** Who makes a request. */
export interface Caller {
  /** Name of the key's holder; else one of {@link KEYLESS}. */
  readonly name: string;
  /** Id of the key; undefined for the owner. */
  readonly keyId: string | undefined;
  /** What the key is good for; undefined for the owner, who may do everything. */
  readonly policy: Policy | undefined;
  /** Names of the operations that it is good for, where the policy alone would grant too much. */
  readonly operations?: ReadonlySet<string>;
}

/** Whoever may open the socket. */
export const OWNER: Caller = {
  name: 'owner' satisfies Keyless,
  keyId: undefined,
  policy: undefined,
};

/** Whoever needs no key because the route is open to all. */
export const ANYONE: Caller = {
  name: 'anyone' satisfies Keyless,
  keyId: undefined,
  policy: { connections: [], verbs: [] },
};

/** Whoever brings a key that is none, or none at all. */
export const UNKNOWN: Caller = { ...ANYONE, name: 'unknown' satisfies Keyless };

/** Why a caller may not do something with a connection, in words; undefined when it may. */
export function whyNot({ policy }: Caller, verb: Verb, connection: string): string | undefined {
  if (policy === undefined) return undefined;
  if (verb !== 'proxy') return refusalOf(policy, { verb, connection });
  // Host, method and path are for the proxy to ask about, once it knows them.
  const { hosts: _h, methods: _m, paths: _p, ...rest } = policy;
  return refusalOf(rest, { verb, connection, call: { host: '', method: '', path: '' } });
}

/** Why a caller may not do something that concerns all connections, in words; undefined when it may. */
export function whyNotAll({ policy }: Caller, verb: Verb): string | undefined {
  if (policy === undefined) return undefined;
  if (!policy.verbs.includes(verb)) return `this key is not good for ${verb}`;
  return coversAll(policy) ? undefined : 'this needs a key that is good for all connections';
}
