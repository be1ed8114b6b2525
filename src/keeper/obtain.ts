import { obtainByClientCredentials } from '../authorize/client-credentials.ts';
import type { AuthorizeDeps, Obtained } from '../authorize/obtained.ts';
import { checkSubject } from '../authorize/subject.ts';
import type { Beginning } from '../connection/record.ts';
import { ConfigurationError } from '../errors.ts';
import type { AddOptions, BeginOptions, ConnectOptions } from '../keeper-api.ts';
import type { ProfileOverrides } from '../providers/profile.ts';
import { findProvider } from '../providers/providers.ts';
import type { Engine } from '../refresh/engine.ts';
import { openAuthentication } from '../refresh/request.ts';
import { Secret } from '../secret.ts';
import { secretOf } from '../system/arguments.ts';
import type { Registration } from './begin.ts';

/*
 * From the options of a caller to tokens that are not stored yet.
 */

/** What the caller overrides, and what discovery tells where only an issuer is given: that is pinned with the registration. */
export async function pinnedOverrides(
  engine: Engine,
  options: BeginOptions,
  signal: AbortSignal | undefined,
): Promise<ProfileOverrides> {
  const given = options.overrides ?? {};
  const { issuer, tokenEndpoint } = given;
  const isKnown = tokenEndpoint ?? findProvider(options.provider).tokenEndpoint;
  if (issuer === undefined || isKnown !== undefined) return given;
  const { discover } = await import('../authorize/discovery.ts');
  const insecureLoopback = given.insecureLoopback === true;
  const found = await discover(depsOf(engine, signal), issuer, { insecureLoopback });
  return { ...found, ...given };
}

/** Gets tokens by consent of a person, or by client credentials. */
export async function obtain(
  engine: Engine,
  options: ConnectOptions,
  { client, profile }: Registration,
  namedScope: readonly string[] | undefined,
): Promise<{ readonly beginning: Beginning; readonly obtained: Obtained }> {
  const deps = depsOf(engine, options.signal);
  const { clientId } = client;
  const authentication = openAuthentication(engine.store.sealer, client);
  const grant = options.grant ?? 'code';
  if (grant === 'client-credentials') {
    const scopes = namedScope ?? profile.scopes.clientCredentials;
    const request = { profile, clientId, authentication, scopes };
    const obtained = await obtainByClientCredentials(deps, request);
    return { beginning: 'client_credentials', obtained };
  }
  const { prompt, redirectPort, redirectUri } = options;
  if (prompt === undefined) {
    throw new ConfigurationError('ERR_ARGUMENT', `grant ${grant} needs a prompt to ask the person`);
  }
  const scopes = namedScope ?? profile.scopes.authorization;
  const request = { profile, clientId, authentication, scopes, prompt };
  if (grant === 'device') {
    const { obtainByDevice } = await import('../authorize/device.ts');
    return { beginning: 'device_code', obtained: await obtainByDevice(deps, request) };
  }
  const { obtainByCode } = await import('../authorize/code.ts');
  const obtained = await obtainByCode(deps, { ...request, redirectPort, redirectUri });
  return { beginning: 'authorization_code', obtained };
}

/** Makes sure that a renewed grant is of the same account. @throws as {@link checkSubject} */
export async function checkAccount(
  engine: Engine,
  existing: string | undefined,
  obtained: Obtained,
  options: ConnectOptions,
): Promise<void> {
  if (existing === undefined || options.grant === 'client-credentials') return;
  const before = await engine.store.read(existing);
  await checkSubject(before?.connection.subject, obtained.subject, options.prompt);
}

/** Tokens that were obtained elsewhere, as if they had just come. */
export function importedTokens(
  { tokens }: AddOptions,
  scope: readonly string[],
  now: number,
): Obtained {
  const { accessToken, accessExpiresAt } = tokens;
  return {
    tokens: {
      accessToken:
        accessToken === undefined ? new Secret('') : secretOf(accessToken, 'accessToken'),
      tokenType: 'Bearer',
      accessLifeMs: accessExpiresAt === undefined ? undefined : Math.max(0, accessExpiresAt - now),
      refreshInMs: undefined,
      refreshToken: secretOf(tokens.refreshToken, 'refreshToken'),
      refreshLifeMs: undefined,
      idToken: undefined,
      scope: undefined,
      warnings: [],
    },
    sentAt: now,
    subject: undefined,
    requested: scope,
    granted: scope,
    warnings: [],
  };
}

function depsOf(
  { clock, random, http, closing }: Engine,
  signal: AbortSignal | undefined,
): AuthorizeDeps {
  const ends = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  return { clock, random, http, signal: ends };
}
