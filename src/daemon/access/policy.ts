import type { Policy, Verb } from '../../store/access-store.ts';

/*
 * Whether a key is good for what is asked. Pure; whatever a policy does not name is refused.
 */

/** What is asked for. */
export interface Ask {
  /** What would be done. */
  readonly verb: Verb;
  /** Name of the connection it would be done with. */
  readonly connection: string;
  /** For the verb `proxy`: the call that would be made, its path normalised and without query. */
  readonly call?: { readonly host: string; readonly method: string; readonly path: string };
}

/** Why a policy refuses, in words; undefined when it grants. */
export function refusalOf(policy: Policy, { verb, connection, call }: Ask): string | undefined {
  if (!policy.verbs.includes(verb)) return `this key is not good for ${verb}`;
  if (!anyMatches(policy.connections, connection))
    return 'this key is not good for that connection';
  if (call === undefined) return verb === 'proxy' ? 'this key needs to know the call' : undefined;
  const { hosts, methods, paths } = policy;
  const host = call.host.toLowerCase();
  if (hosts !== undefined && !hosts.some((one) => one.toLowerCase() === host))
    return 'this key is not good for that host';
  const method = call.method.toUpperCase();
  if (methods !== undefined && !methods.some((one) => one.toUpperCase() === method))
    return `this key is not good for the method ${method}`;
  if (paths !== undefined && !anyMatches(paths, call.path))
    return 'this key is not good for that path';
  return undefined;
}

/** Whether a policy covers every connection, those to come included. */
export function coversAll(policy: Policy): boolean {
  return policy.connections.includes('*');
}

/** Whether a name or path matches one of some patterns, in which `*` stands for any characters. */
export function anyMatches(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern, text));
}

/** In time that grows with the product of both lengths at most, whatever the pattern. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
