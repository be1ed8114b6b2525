import type { Policy, Verb } from '../../store/access-store.ts';
import { UsageError } from '../usage-error.ts';
import { parseDuration } from './duration.ts';

/** The options that say what a key is good for, as commander reads them. */
export interface PolicyOptions {
  readonly connection?: readonly string[];
  readonly verb?: readonly string[];
  readonly host?: readonly string[];
  readonly method?: readonly string[];
  readonly path?: readonly string[];
  readonly rate?: string;
}

const VERBS: readonly Verb[] = ['token', 'proxy', 'read', 'manage'];

/** Reads what a key is good for. @throws {@link UsageError} for what is missing, unknown, or could never match. */
export function readPolicy({ connection, verb, host, method, path, rate }: PolicyOptions): Policy {
  if (connection === undefined) throw new UsageError("--connection is missing; '*' names all");
  if (verb === undefined) throw new UsageError(`--verb is missing; there are ${VERBS.join(', ')}`);
  const verbs = verb.map((one) => VERBS.find((known) => known === one) ?? unknownVerb(one));
  const given = [...connection, ...(host ?? []), ...(method ?? []), ...(path ?? [])];
  if (given.includes(''))
    throw new UsageError('a value is empty; leave the option out, or name something');
  if (!verbs.includes('proxy') && (host ?? method ?? path) !== undefined)
    throw new UsageError('--host, --method and --path are for --verb proxy');
  checkCalls(host ?? [], method ?? [], path ?? []);
  return {
    connections: connection,
    verbs,
    ...(host !== undefined && { hosts: host }),
    ...(method !== undefined && { methods: method }),
    ...(path !== undefined && { paths: path }),
    ...(rate !== undefined && { rate: rateOf(rate) }),
  };
}

/** What would match no call at all is a slip. */
function checkCalls(
  hosts: readonly string[],
  methods: readonly string[],
  paths: readonly string[],
): void {
  if (!hosts.every((one) => /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(one)))
    throw new UsageError('--host takes a host, such as talk.perspio.io, and perhaps a port');
  if (!methods.every((one) => /^[a-z]+$/i.test(one)))
    throw new UsageError('--method takes a method, such as GET');
  if (!paths.every((one) => /^[/*]/.test(one)))
    throw new UsageError("--path takes a path that begins with /, such as '/assets/*'");
}

function unknownVerb(verb: string): never {
  throw new UsageError(`--verb ${verb} is not known; there are ${VERBS.join(', ')}`);
}

function rateOf(text: string): NonNullable<Policy['rate']> {
  const [, requests, per = ''] = /^([1-9]\d{0,8})\/(.+)$/.exec(text) ?? [];
  if (requests === undefined)
    throw new UsageError('--rate takes requests and a time, such as 60/1m');
  const perMs = parseDuration(per, '--rate');
  if (perMs === 0) throw new UsageError('--rate takes a time above 0');
  return { requests: Number(requests), perMs };
}
