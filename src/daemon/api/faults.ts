import type * as z from 'zod';

type Issue = z.core.$ZodIssue;

/** More than these help nobody. */
const MOST = 5;

/** What is wrong with a value from outside, each fault beginning with the member concerned: `client.clientId must not be empty`. Never repeats a value. */
export function faultsOf(issues: readonly Issue[]): readonly string[] {
  return issues.flatMap((issue) => faultsOfOne(issue, [])).slice(0, MOST);
}

function faultsOfOne(issue: Issue, above: readonly PropertyKey[]): readonly string[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union') return faultsOfUnion(issue.errors, path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MOST).map((key) => told([...path, shown(key)], 'is unknown'));
  return [told(path, inWords(issue.message))];
}

/** Of the forms that a value may have, the one that was most likely meant: it knows most of the members. Several that know as many are all told. */
function faultsOfUnion(
  forms: readonly (readonly Issue[])[],
  path: readonly PropertyKey[],
): readonly string[] {
  const counts = forms.map(unknownMembers);
  const likely = forms.filter((_, i) => counts[i] === Math.min(...counts));
  const faults = likely.map((form) => form.flatMap((issue) => faultsOfOne(issue, path)));
  if (faults.length === 1) return faults[0] ?? [];
  const alternatives = new Set(faults.flatMap((ofForm) => ofForm.slice(0, 1)));
  return [[...alternatives].join(', or ')];
}

function unknownMembers(form: readonly Issue[]): number {
  return form
    .map((issue) => (issue.code === 'unrecognized_keys' ? issue.keys.length : 0))
    .reduce((sum, count) => sum + count, 0);
}

/** The checking library's own words for the wrong kind of value. */
function inWords(message: string): string {
  const [, expected, received] =
    /^Invalid (?:input|option): expected (.+?)(?:, received (\w+))?$/s.exec(message) ?? [];
  if (expected === undefined) return message;
  if (received === 'undefined') return 'is missing';
  return `must be ${expected}${received === undefined ? '' : `, not ${received}`}`;
}

function told(path: readonly PropertyKey[], fault: string): string {
  return [path.map(String).join('.'), fault].filter((part) => part !== '').join(' ');
}

/** A name from outside, fit for a message. */
function shown(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}…` : name;
}
