import { sabotaged } from '#failpoints';
import { ConfigurationError } from '../../errors.ts';
import type { AccessToken } from '../../access-token.ts';
import type { ApiAccess } from '../../resource/exchange.ts';
import { constantFields, credentialFields, settingFields } from '../../resource/headers.ts';

/*
 * Which header fields pass, and which are ours. Names are compared in lower case with `_` as `-`, since some servers take both for one.
 */

/** About one connection between two, RFC 9110 section 7.6.1; what `Connection` names comes on top. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
]);

/** Who calls, where to, how long it is, and by which way it came: ours to say, or nobody's. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'authorization',
  'client-ip',
  'content-length',
  'cookie',
  'cookie2',
  'expect',
  'fastly-client-ip',
  'forwarded',
  'host',
  'max-forwards',
  'proxy',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-host',
  'x-http-host-override',
  'x-real-ip',
  'x-rewrite-url',
]);
const NOT_SENT_PREFIX = /^(?:cf-|sec-fetch-|x-evergrant-|x-forwarded|x-original-)/;

/** These ask for another method than the one that was allowed. Leaving them out would make another call of it. */
const OTHER_METHOD: ReadonlySet<string> = new Set([
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
]);

/** What an API says to browsers about its own origin, which the proxy's is not; and orders to servers in between. */
const NOT_ANSWERED: ReadonlySet<string> = new Set([
  'accept-ch',
  'alt-svc',
  'clear-site-data',
  'content-length',
  'content-security-policy',
  'content-security-policy-report-only',
  'critical-ch',
  // Says that an answer is the daemon's own.
  'evergrant-error',
  // No field of answers; Node would write all of them in another encoding for it.
  'expect',
  'expect-ct',
  'location',
  'nel',
  'observe-browsing-topics',
  'origin-agent-cluster',
  'origin-trial',
  'public-key-pins',
  'public-key-pins-report-only',
  'referrer-policy',
  'refresh',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
  'set-login',
  'speculation-rules',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
  'x-sendfile',
]);
const NOT_ANSWERED_PREFIX = /^(?:access-control-|cross-origin-|x-accel-)/;

/** A page of an API that is opened in a browser must not act as one of ours. */
const OURS_IN_ANSWER = [
  'content-security-policy',
  "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy',
  'same-origin',
  'referrer-policy',
  'no-referrer',
  'x-content-type-options',
  'nosniff',
] as const;

/**
 * The fields of a request as the API gets them.
 *
 * @param raw - names and values in turns, as the caller sent them.
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` for a field that asks for another method.
 */
export function requestFields(
  raw: readonly string[],
  { api, settings }: Pick<ApiAccess, 'api' | 'settings'>,
  token: AccessToken,
): string[] {
  const ours = new Set(settingFields(api).map(canonical));
  const named = namedByConnection(raw);
  const has = new Set<string>();
  const fields: string[] = [];
  for (const [name, value] of pairs(raw)) {
    const key = canonical(name);
    if (OTHER_METHOD.has(key))
      throw new ConfigurationError(
        'ERR_ARGUMENT',
        `the header field ${key} asks for another method; send that method itself`,
      );
    if (isHopByHop(key, named) || NOT_SENT.has(key) || NOT_SENT_PREFIX.test(key)) continue;
    if (ours.has(key)) continue;
    has.add(key);
    fields.push(name, value);
  }
  for (const [name, value] of constantFields(api)) {
    const key = canonical(name);
    if (!has.has(key)) fields.push(name, value);
    has.add(key);
  }
  return [...fields, ...credentialFields(api, settings, token).flat()];
}

/**
 * The fields of an answer as the caller gets them, without `Location`.
 *
 * @param raw - names and values in turns, as the API sent them.
 * @param secrets - what no field may hold, although the API knows it.
 */
export function answerFields(raw: readonly string[], secrets: readonly string[]): string[] {
  const named = namedByConnection(raw);
  const fields: string[] = [];
  for (const [name, value] of pairs(raw)) {
    const key = canonical(name);
    if (isHopByHop(key, named) || NOT_ANSWERED.has(key) || NOT_ANSWERED_PREFIX.test(key)) continue;
    if (holdsAny(value, secrets)) continue;
    fields.push(name, value);
  }
  fields.push(...OURS_IN_ANSWER);
  return fields;
}

/** Whether a value holds a secret. */
export function holdsAny(value: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => value.includes(secret));
}

/** The first value of a field; null when there is none. */
export function fieldOf(raw: readonly string[], name: string): string | null {
  for (let i = 0; i + 1 < raw.length; i += 2) if (isNamed(raw[i], name)) return raw[i + 1] ?? '';
  return null;
}

/** All values of a field, joined as a list. */
export function listOf(raw: readonly string[], name: string): string | null {
  let list: string | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!isNamed(raw[i], name)) continue;
    const value = raw[i + 1] ?? '';
    list = list === null ? value : `${list}, ${value}`;
  }
  return list;
}

/** Names of another length need no look at their letters; none of those asked for is beyond ASCII. */
function isNamed(given: string | undefined, name: string): boolean {
  return given?.length === name.length && given.toLowerCase() === name;
}

function isHopByHop(key: string, named: ReadonlySet<string>): boolean {
  return (HOP_BY_HOP.has(key) || named.has(key)) && !sabotaged('hop-by-hop');
}

function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  const values = listOf(raw, 'connection');
  if (values === null) return NONE;
  return new Set(values.split(',').map((name) => canonical(name.trim())));
}

const NONE: ReadonlySet<string> = new Set();

function canonical(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) found.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return found;
}
