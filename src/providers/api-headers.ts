import type { ApiHeader, Provider } from './provider.ts';

const SETTINGS: readonly Extract<ApiHeader, { readonly setting: string }>['setting'][] = [
  'subscriptionKey',
  'perspioTenantId',
];

/** Who calls and where to, and what is about one message or one connection. */
const OURS: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 section 5.1. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** RFC 9110 section 5.5, but for characters beyond ASCII, which nobody reads alike. */
const VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/;

/**
 * What is wrong with the first header of a provider's API that could not be sent, or would be left out, by its name; undefined when nothing is. No
 * value is repeated: it may be a key.
 */
export function faultyApiHeader({ api }: Provider): string | undefined {
  for (const [name, header] of Object.entries(api?.headers ?? {})) {
    const fault = faultOf(name, header);
    if (fault !== undefined) return `api.headers: ${JSON.stringify(name)} ${fault}`;
  }
  return undefined;
}

function faultOf(name: string, header: object): string | undefined {
  if (!NAME.test(name)) return 'holds characters that no name of a header field has';
  if (OURS.has(name.toLowerCase())) return 'is set by evergrant; leave it out';
  const [[member, content] = [], ...more] = Object.entries(header) as [string, unknown][];
  const isOne = more.length === 0 && typeof content === 'string';
  if (isOne && member === 'setting' && SETTINGS.some((one) => one === content)) return undefined;
  if (!isOne || member !== 'value')
    return `must be {"value": text} or ${SETTINGS.map((one) => `{"setting": "${one}"}`).join(' or ')}`;
  return VALUE.test(content) ? undefined : 'has a value that a header field cannot carry';
}
