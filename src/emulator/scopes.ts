import type { EmulatorResource } from './options.ts';
import { Refusal } from './refusal.ts';
import type { RegisteredClient } from './state/clients.ts';
import type { DirectoryUser } from './state/users.ts';

const openIdScopes = new Set(['openid', 'profile', 'email', 'offline_access']);
/** The resource of scopes that name none, as at Entra. */
export const graphUri = 'https://graph.microsoft.com';

/** A scope parameter, understood. */
export interface RequestedScope {
  /** `openid`, `profile`, `email`, `offline_access`. */
  readonly openId: ReadonlySet<string>;
  /** The others, in the order of the request; several resources are possible. */
  readonly items: readonly { readonly resource: EmulatorResource; readonly name: string }[];
}

/**
 * Reads a scope parameter.
 *
 * @throws Refusal 70011 for illegal characters and unknown names, to which scopes encoded twice belong; 500011 for an unknown resource.
 * @see RFC 6749 section 3.3
 */
export function readScope(scope: string, resources: readonly EmulatorResource[]): RequestedScope {
  const words = scope.split(' ').filter(Boolean);
  for (const word of words) {
    if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(word)) {
      throw new Refusal(70011, { text: `The scope ${word} is not valid.` });
    }
  }
  return {
    openId: new Set(words.filter((word) => openIdScopes.has(word))),
    items: words.filter((word) => !openIdScopes.has(word)).map((word) => locate(word, resources)),
  };
}

function locate(word: string, resources: readonly EmulatorResource[]): RequestedScope['items'][0] {
  const full = word.includes('/') ? word : `${graphUri}/${word}`;
  const resource = resources.find(({ uri }) => full.startsWith(`${uri}/`));
  if (resource === undefined) throw new Refusal(500011, { text: `No resource offers ${word}.` });
  const name = full.slice(resource.uri.length + 1);
  if (name === '.default' || resource.scopes.includes(name)) return { resource, name };
  throw new Refusal(70011, { text: `The scope ${word} does not exist.` });
}

/**
 * The resource a token will be for: that of the first scope, or Microsoft Graph where only OpenID scopes are asked for.
 *
 * @throws Refusal 700023 when there is none.
 */
export function firstResource(
  scope: RequestedScope,
  resources: readonly EmulatorResource[],
): EmulatorResource {
  const resource = scope.items[0]?.resource ?? resources.find(({ uri }) => uri === graphUri);
  if (resource === undefined) throw new Refusal(700023);
  return resource;
}

/** @throws Refusal 700022 when the scope spans several resources. */
export function requireOneResource(
  scope: RequestedScope,
  resources: readonly EmulatorResource[],
): EmulatorResource {
  const resource = firstResource(scope, resources);
  if (scope.items.some((item) => item.resource !== resource)) throw new Refusal(700022);
  return resource;
}

/** Every scope consented to, by the user or by an administrator, as full names. */
export function consentedScopes(
  user: DirectoryUser,
  client: RegisteredClient,
  resources: readonly EmulatorResource[],
): ReadonlySet<string> {
  const everybody = client.preconsented ?? scopesOf(resources[0]);
  return new Set([...everybody, ...(user.consents.get(client.clientId) ?? [])]);
}

function scopesOf(resource: EmulatorResource | undefined): string[] {
  return resource?.scopes.map((name) => `${resource.uri}/${name}`) ?? [];
}

/** The full names a person consents to when agreeing to a request. */
export function scopesToConsent(scope: RequestedScope): string[] {
  return scope.items.flatMap(({ resource, name }) =>
    name === '.default' ? scopesOf(resource) : [`${resource.uri}/${name}`],
  );
}

/**
 * The scopes of one resource that a token carries: all that was consented to there, as Entra grants them.
 *
 * @throws Refusal 65001 when one that was asked for has no consent.
 */
export function grantedScopes(
  scope: RequestedScope,
  resource: EmulatorResource,
  consented: ReadonlySet<string>,
): string[] {
  const full = (name: string): string => `${resource.uri}/${name}`;
  const wanted = scope.items.filter(
    (item) => item.resource === resource && item.name !== '.default',
  );
  const missing = wanted.find((item) => !consented.has(full(item.name)));
  if (missing !== undefined) {
    throw new Refusal(65001, { text: `Nobody has consented to ${full(missing.name)}.` });
  }
  return resource.scopes.filter((name) => consented.has(full(name)));
}
