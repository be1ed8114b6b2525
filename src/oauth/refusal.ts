import type { Secret } from '../secret.ts';
import { hideSecrets } from './hidden.ts';
import type { AnswerDialect, Refusal } from './outcome.ts';

const LONGEST_TEXT = 200;

/**
 * Makes text of a server fit for people and logs: no control or formatting character, no line break, at most 200 characters, and
 * `[secret]` in place of what it repeats of the given secrets.
 */
export function cleanText(text: string, secrets: readonly Secret[] = []): string {
  const clean = hideSecrets(text, secrets);
  const characters = Array.from(clean.replace(/[\p{C}\p{Z}]+/gu, ' ').trim());
  if (characters.length <= LONGEST_TEXT) return characters.join('');
  return `${characters.slice(0, LONGEST_TEXT - 1).join('')}…`;
}

/**
 * Reads the members of an error answer. `error` is undefined when the server named none; then the answer is no OAuth error.
 *
 * @param secrets - what the request carried, so that an echo of it is never shown.
 * @see RFC 6749 section 5.2
 */
export function readRefusal(
  status: number,
  members: ReadonlyMap<string, unknown>,
  dialect: AnswerDialect,
  secrets: readonly Secret[],
): Refusal {
  const text = (value: unknown): string | undefined =>
    (typeof value === 'string' && cleanText(value, secrets)) || undefined;
  const fault = members.get('error');
  const inner =
    typeof fault === 'object' && fault !== null ? new Map(Object.entries(fault)) : undefined;
  const claims = members.get('claims');
  return {
    status,
    error: text(errorName(members, inner, dialect)),
    description:
      text(members.get('error_description')) ??
      text(members.get('message')) ??
      text(inner?.get('message')),
    suberror: text(members.get('suberror')),
    codes: readCodes(members.get('error_codes')),
    claims: typeof claims === 'string' && claims !== '' ? claims : undefined,
    traceId: text(members.get('trace_id')),
    correlationId: text(members.get('correlation_id')),
  };
}

/** Finds the name of the error: a string, a member of an error object, or a `status` that the provider's aliases know. */
function errorName(
  members: ReadonlyMap<string, unknown>,
  inner: ReadonlyMap<string, unknown> | undefined,
  { errorAliases = {} }: AnswerDialect,
): string | undefined {
  const alias = (name: string): string | undefined =>
    Object.hasOwn(errorAliases, name) ? errorAliases[name] : undefined;
  const candidates = [
    members.get('error'),
    inner?.get('code'),
    inner?.get('status'),
    inner?.get('type'),
  ];
  const name = candidates.find(
    (candidate) => typeof candidate === 'string' && candidate.trim() !== '',
  );
  if (typeof name === 'string') return alias(name) ?? name;
  const status = members.get('status');
  return typeof status === 'string' ? alias(status) : undefined;
}

function readCodes(value: unknown): readonly number[] {
  const items: unknown[] = Array.isArray(value) ? value.slice(0, 20) : [value];
  return items
    .map((item) => (typeof item === 'string' && /^\d{1,15}$/.test(item) ? Number(item) : item))
    .filter((item) => Number.isSafeInteger(item)) as number[];
}
