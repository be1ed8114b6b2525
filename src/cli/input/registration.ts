import type { Command } from 'commander';
import type { Rotation } from '../../connection/record.ts';
import type { BeginOptions, ClientOptions } from '../../keeper-api.ts';
import type { ProfileOverrides } from '../../providers/profile.ts';
import type { Provider } from '../../providers/provider.ts';
import { hint } from '../output/failure.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { askSecretOrNothing, askText } from './ask.ts';
import { parseDuration } from './duration.ts';
import { parseInstant } from './instant.ts';
import { repeated } from './repeated.ts';
import { requireProvider } from './provider-name.ts';
import { addSecretOptions, readSecret, type OptionValues } from './secrets.ts';

/** Options shared by the commands that begin a connection, as commander reads them. */
export interface RegistrationOptions extends OptionValues {
  readonly provider?: string;
  readonly clientId?: string;
  readonly publicClient?: boolean;
  readonly clientSecretExpires?: string;
  readonly clientAuth?: NonNullable<ClientOptions['authentication']>;
  readonly scope?: string;
  readonly perspioTenant?: string;
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
export function addRegistrationOptions(command: Command): Command {
  command
    .option(
      '--provider <name>',
      'provider profile, see evergrant providers (default: the one named like the connection)',
    )
    .option('--client-id <id>', 'client id of the registration');
  addSecretOptions(command, 'client-secret', 'the client secret')
    .option('--public-client', 'the client has no secret; do not ask for one')
    .option(
      '--client-secret-expires <when>',
      'when the secret ends, to be warned ahead: 2027-01-31, or in 180d',
    )
    .addOption(
      command
        .createOption(
          '--client-auth <method>',
          'how the client proves itself, instead of what the profile says',
        )
        .choices(['none', 'client_secret_post', 'client_secret_basic', 'client_secret_basic_raw']),
    )
    .option('--scope <scopes>', 'scopes, separated by spaces, instead of those of the profile');
  addSecretOptions(command, 'subscription-key', "the key of Perspio's API gateway").option(
    '--perspio-tenant <id>',
    "Perspio's tenant id, for the tid header",
  );
  return addProfileOptions(command);
}

function addProfileOptions(command: Command): Command {
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

/**
 * Reads what every way to begin a connection takes, asking at a terminal for what is missing.
 *
 * @param name - of the connection; also the provider's where no option names one.
 * @throws {@link UsageError} naming the option that is wrong or missing.
 */
export async function readRegistration(
  session: Session,
  name: string,
  options: RegistrationOptions,
): Promise<BeginOptions> {
  const provider = requireProvider(options.provider, name);
  const clientId = options.clientId ?? (await askClientId(session));
  const clientSecret = await clientSecretOf(session, options);
  const expires = options.clientSecretExpires;
  const subscriptionKey = await readSecret(session, options, 'subscription-key');
  return {
    provider: provider.name,
    client: {
      clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      ...(expires !== undefined && {
        clientSecretExpiresAt: parseInstant(
          expires,
          '--client-secret-expires',
          session.clock.now(),
        ),
      }),
      ...(options.clientAuth !== undefined && { authentication: options.clientAuth }),
    },
    overrides: overridesOf(provider, options),
    ...(options.scope !== undefined && { scope: options.scope }),
    ...(subscriptionKey !== undefined && { subscriptionKey }),
    ...(options.perspioTenant !== undefined && { perspioTenantId: options.perspioTenant }),
  };
}

async function askClientId(session: Session): Promise<string> {
  if (session.stdin.isTTY === true) return askText(session, 'client id');
  const error = new UsageError('--client-id is missing');
  hint(error, 'it is the id of your registration at the authorization server');
  throw error;
}

async function clientSecretOf(
  session: Session,
  options: RegistrationOptions,
): ReturnType<typeof readSecret> {
  const secret = await readSecret(session, options, 'client-secret');
  const isPublic = options.publicClient === true || options.clientAuth === 'none';
  if (secret !== undefined && isPublic)
    throw new UsageError('a public client has no secret; give one or the other');
  if (secret !== undefined || isPublic || session.stdin.isTTY !== true) return secret;
  return askSecretOrNothing(session, 'client secret (empty for a public client)');
}

function overridesOf(provider: Provider, options: RegistrationOptions): ProfileOverrides {
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
