import type { Command } from 'commander';
import type { Rotation } from '../../connection/record.ts';
import type { ProfileOverrides } from '../../providers/profile.ts';
import type { Provider } from '../../providers/provider.ts';
import { UsageError } from '../usage-error.ts';
import { parseDuration } from './duration.ts';
import { repeated } from './repeated.ts';

/** Options that replace a part of a provider's profile, as commander reads them. */
export interface ProfileOptions {
  readonly entraTenant?: string;
  readonly issuer?: string;
  readonly tokenEndpoint?: string;
  readonly authorizationEndpoint?: string;
  readonly deviceAuthorizationEndpoint?: string;
  readonly revocationEndpoint?: string;
  readonly jwksUri?: string;
  readonly rotation?: Rotation;
  readonly grace?: string;
  readonly idleLimit?: string;
  readonly apiOrigin?: readonly string[];
  readonly insecureLoopback?: boolean;
}

/** Declares them. */
export function addProfileOptions(command: Command): Command {
  return command
    .option('--entra-tenant <id>', 'Entra tenant, a GUID or a domain name')
    .option('--issuer <url>', 'issuer; endpoints that are not given are discovered there')
    .option('--token-endpoint <url>', 'token endpoint, instead of that of the profile')
    .option('--authorization-endpoint <url>', 'authorization endpoint, likewise')
    .option('--device-authorization-endpoint <url>', 'device authorization endpoint, likewise')
    .option('--revocation-endpoint <url>', 'revocation endpoint, likewise')
    .option('--jwks-uri <url>', 'where the keys that sign id tokens are, likewise')
    .addOption(
      command
        .createOption('--rotation <kind>', 'what a refresh does to the refresh token')
        .choices(['none', 'reusable', 'grace', 'single-use', 'unknown']),
    )
    .option('--grace <duration>', 'for grace: how long the old refresh token stays good, e.g. 30s')
    .option('--idle-limit <duration>', 'how long an unused refresh token lives, e.g. 90d')
    .option(
      '--api-origin <origin>',
      'origin that may be sent the token; may be repeated, the first is the base of relative URLs',
      repeated,
    )
    .option('--insecure-loopback', 'accept plain http for loopback addresses; for tests only');
}

/** What they replace. @throws {@link UsageError} naming the option that is wrong. */
export function overridesOf(provider: Provider, options: ProfileOptions): ProfileOverrides {
  const { grace, idleLimit, apiOrigin: [base, ...others] = [] } = options;
  if (grace !== undefined && (options.rotation ?? provider.rotation) !== 'grace')
    throw new UsageError('--grace goes with --rotation grace');
  const given = {
    issuer: options.issuer,
    tokenEndpoint: options.tokenEndpoint,
    authorizationEndpoint: options.authorizationEndpoint,
    deviceAuthorizationEndpoint: options.deviceAuthorizationEndpoint,
    revocationEndpoint: options.revocationEndpoint,
    jwksUri: options.jwksUri,
    entraTenantId: options.entraTenant,
    rotation: options.rotation,
    graceMs: grace === undefined ? undefined : parseDuration(grace, '--grace'),
    idleLimitMs: idleLimit === undefined ? undefined : parseDuration(idleLimit, '--idle-limit'),
    api: base === undefined ? undefined : { ...provider.api, origins: [base, ...others], base },
    insecureLoopback: options.insecureLoopback,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
