import { ConfigurationError } from '../errors.ts';

/** A scope as it was meant, and what had to be repaired to get there. */
export interface RepairedScope {
  /** The scope tokens, each once, in the order given. */
  readonly scope: readonly string[];
  /** What was repaired, in words. */
  readonly warnings: readonly string[];
}

const OIDC_SCOPES: ReadonlySet<string> = new Set(['openid', 'profile', 'email', 'offline_access']);

/**
 * Splits a scope value and mends the two mistakes that documentation invites: quotes around the value, and a value that was
 * percent-encoded already. Takes what a person configured as well as what a server answered.
 *
 * @param separator - what separates tokens besides white space.
 */
export function repairScope(value: string | readonly string[], separator = ' '): RepairedScope {
  const warnings: string[] = [];
  let text = (typeof value === 'string' ? value : value.join(' ')).trim();
  const unquoted = /^(["'])(.*)\1$/s.exec(text)?.[2];
  if (unquoted !== undefined) {
    text = unquoted;
    warnings.push('the scope stood in quotes; they were removed');
  }
  const decoded = text.includes('://') ? undefined : percentDecoded(text);
  if (decoded !== undefined) {
    text = decoded;
    warnings.push('the scope was percent-encoded; it was decoded once');
  }
  const tokens = text.split(separator).flatMap((part) => part.split(/\s+/));
  return { scope: [...new Set(tokens.filter((token) => token !== ''))], warnings };
}

/**
 * Reads a scope that a person configured: repaired, then held against the grammar.
 *
 * @param name - the option or argument concerned, for the message.
 * @throws {@link ConfigurationError} when it is of another type, or a token holds a character that no scope may hold.
 * @see RFC 6749 section 3.3
 */
export function readScope(value: string | readonly string[], name = 'scope'): RepairedScope {
  if (!isScope(value)) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      `${name} is neither a string nor a list of strings`,
    );
  }
  const repaired = repairScope(value);
  const illegal = repaired.scope.find((token) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(token));
  if (illegal !== undefined) {
    throw new ConfigurationError(
      'ERR_ARGUMENT',
      `${name} holds ${JSON.stringify(illegal)}; a scope is printable ASCII without quotes and backslashes`,
    );
  }
  return repaired;
}

/** From JavaScript anything may come. */
function isScope(value: unknown): boolean {
  const parts: unknown = typeof value === 'string' ? [value] : value;
  return Array.isArray(parts) && parts.every((part) => typeof part === 'string');
}

/** The wire form of a scope; undefined for none, so that the parameter is left out. */
export function formatScope(scope: readonly string[] | undefined): string | undefined {
  return scope === undefined || scope.length === 0 ? undefined : scope.join(' ');
}

/** The scope without those of OpenID Connect, which servers grant without echoing. */
export function withoutOidcScopes(scope: readonly string[]): readonly string[] {
  return scope.filter((token) => !OIDC_SCOPES.has(token));
}

/** What was asked for and not granted, OpenID Connect's scopes left aside. */
export function missingScope(
  asked: readonly string[],
  granted: readonly string[],
): readonly string[] {
  return withoutOidcScopes(asked).filter((token) => !granted.includes(token));
}

/** Whether two scopes are the same set, OpenID Connect's scopes left aside. Case matters, order does not. */
export function isSameScope(one: readonly string[], other: readonly string[]): boolean {
  return missingScope(one, other).length === 0 && missingScope(other, one).length === 0;
}

function percentDecoded(text: string): string | undefined {
  if (!/%(?:3a|2f|20)/i.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
