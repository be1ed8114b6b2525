import { ConfigurationError } from '../errors.ts';
import { isLoopback } from '../loopback.ts';
import { faultyApiHeader } from './api-headers.ts';
import { faultyNumber } from './numbers.ts';
import type { Provider } from './provider.ts';
import { faultyShape, type Shape } from './shapes.ts';

/** Fields of a provider that one registration sees differently. */
export type ProfileOverrides = Partial<
  Omit<Provider, 'name' | 'title' | 'documentation'> & {
    /** Accepts plain `http` for loopback addresses; for tests only. */
    readonly insecureLoopback: boolean;
  }
>;

/** A provider as one registration uses it: overrides applied, placeholders filled, every address checked. */
export interface Profile extends Provider {
  /** RFC 6749 section 3.2. */
  readonly tokenEndpoint: string;
  /** Whether plain `http` to loopback addresses is accepted. */
  readonly insecureLoopback: boolean;
}

const ADDRESSES = [
  'issuer',
  'tokenEndpoint',
  'authorizationEndpoint',
  'deviceAuthorizationEndpoint',
  'pushedAuthorizationRequestEndpoint',
  'revocationEndpoint',
  'jwksUri',
] as const;

const TEXT_BY_NAME: Shape = { '*': 'text' };
const ADVICE_BY_NAME: Shape = {
  '*': {
    actor: ['owner', 'operator', 'administrator', 'nobody'],
    cause: 'text',
    remedy: 'text',
  },
};

/** Every field that may be overridden, and what it must be. A record, so that the compiler notices a field that is missing here. */
const OVERRIDABLE: Readonly<Record<keyof ProfileOverrides, Shape>> = {
  issuer: 'text',
  tokenEndpoint: 'text',
  authorizationEndpoint: 'text',
  deviceAuthorizationEndpoint: 'text',
  pushedAuthorizationRequestEndpoint: 'text',
  authorizationResponseIss: 'flag',
  revocationEndpoint: 'text',
  jwksUri: 'text',
  entraTenantId: 'text',
  clientAuthentication: ['client_secret_post', 'client_secret_basic', 'client_secret_basic_raw'],
  rotation: ['none', 'reusable', 'grace', 'single-use', 'unknown'],
  graceMs: 'number',
  idleLimitMs: 'number',
  scopes: { authorization: 'texts', 'refresh?': 'texts', clientCredentials: 'texts' },
  sendScopeOnRefresh: 'flag',
  retryWithGrantedScope: 'flag',
  authorizationParameters: TEXT_BY_NAME,
  tokenParameters: TEXT_BY_NAME,
  loopbackHost: ['127.0.0.1', 'localhost'],
  dialect: {
    'defaultTokenType?': 'text',
    'defaultAccessLifeMs?': 'number',
    'errorAliases?': TEXT_BY_NAME,
    'refreshExpiryField?': 'text',
    'scopeSeparator?': 'text',
    'throttleCodes?': 'numbers',
  },
  api: { origins: 'texts', base: 'text', 'headers?': { '*': 'object' }, 'limits?': 'objects' },
  adviceByCode: ADVICE_BY_NAME,
  adviceBySuberror: ADVICE_BY_NAME,
  adviceByError: ADVICE_BY_NAME,
  insecureLoopback: 'flag',
};

/**
 * Makes the profile that a registration uses.
 *
 * @param overrides - fields that replace the provider's, each as a whole; undefined ones are ignored.
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when a field is unknown or not what it must be, a placeholder has no value, no token endpoint is
 * known, an address is neither https nor allowed plain http, a header of the API cannot be sent, or a number is none that can be used.
 */
export function resolveProfile(provider: Provider, overrides: ProfileOverrides = {}): Profile {
  const given = Object.entries<unknown>(overrides).filter(([, value]) => value !== undefined);
  const unknown = given.find(([name]) => !Object.hasOwn(OVERRIDABLE, name));
  if (unknown !== undefined)
    throw refusal(provider, `${unknown[0]} is no field that can be overridden`);
  for (const [name, value] of given) {
    const fault = faultyShape(name, value, OVERRIDABLE[name as keyof ProfileOverrides]);
    if (fault !== undefined) throw refusal(provider, fault);
  }
  const merged = {
    ...provider,
    insecureLoopback: false,
    ...(Object.fromEntries(given) as ProfileOverrides),
  };
  const addresses = ADDRESSES.flatMap((name) => {
    const value = merged[name];
    return value === undefined ? [] : [[name, resolveAddress(merged, name, value)] as const];
  });
  const resolved = new Map(addresses);
  const tokenEndpoint = resolved.get('tokenEndpoint');
  if (tokenEndpoint === undefined) {
    throw refusal(provider, 'tokenEndpoint is missing; give it, or issuer to discover it');
  }
  checkApi(merged);
  const fault = faultyNumber(merged);
  if (fault !== undefined) throw refusal(provider, fault);
  return { ...merged, ...Object.fromEntries(resolved), tokenEndpoint };
}

type Merged = Provider & { readonly insecureLoopback: boolean };

function resolveAddress(merged: Merged, name: string, template: string): string {
  const address = template.replaceAll('{entraTenantId}', () => {
    const tenant = merged.entraTenantId;
    if (tenant === undefined)
      throw refusal(merged, `entraTenantId is missing, which ${name} needs`);
    if (/^[\w.-]+$/.test(tenant) && !/^\.+$/.test(tenant)) return tenant;
    throw refusal(merged, 'entraTenantId is neither a GUID nor a domain name');
  });
  const placeholder = /\{\w+\}/.exec(address)?.[0];
  if (placeholder !== undefined) {
    throw refusal(merged, `${name} holds ${placeholder}; give the address instead`);
  }
  checkAddress(merged, name, address);
  return address;
}

function checkAddress(merged: Merged, name: string, address: string): URL {
  const url = URL.parse(address);
  // The parser drops some characters without a word; they would still be in every message.
  if (url === null || /[\s\p{C}]/u.test(address))
    throw refusal(merged, `${name} is no absolute URL; begin it with https://`);
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw refusal(merged, `${name} holds credentials or a fragment; remove them`);
  }
  if (url.protocol === 'https:') return url;
  if (url.protocol !== 'http:' || !isLoopback(url.hostname)) {
    throw refusal(merged, `${name} does not begin with https://`);
  }
  if (!merged.insecureLoopback) {
    throw refusal(merged, `${name} is plain http; insecureLoopback allows that in tests`);
  }
  return url;
}

function checkApi(merged: Merged): void {
  if (merged.api === undefined) return;
  const origins = merged.api.origins.map((origin) => {
    const url = checkAddress(merged, 'api.origins', origin);
    if (url.origin === origin) return origin;
    throw refusal(merged, `api.origins holds ${JSON.stringify(origin)}; write ${url.origin}`);
  });
  const base = checkAddress(merged, 'api.base', merged.api.base);
  if (!origins.includes(base.origin)) {
    throw refusal(merged, 'api.base is outside api.origins; add its origin to them');
  }
  const fault = faultyApiHeader(merged);
  if (fault !== undefined) throw refusal(merged, fault);
}

function refusal(provider: Provider, fault: string): ConfigurationError {
  return new ConfigurationError('ERR_CONFIGURATION', `provider ${provider.name}: ${fault}`);
}
