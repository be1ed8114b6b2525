import * as z from 'zod';
import { DURATION, durationMs } from '../../system/duration.ts';

/*
 * What crosses the wire, once for checking and once for the OpenAPI document. Instants are epoch milliseconds; what is not known is null.
 */

const instant = z.number().meta({ description: 'epoch milliseconds' });
const words = z.array(z.string());

/** A duration such as `5m`, in milliseconds once read. */
export const duration = z
  .string()
  .regex(DURATION, 'must be a duration such as 30s, 5m or 1h30m')
  .transform((text, context) => {
    const ms = durationMs(text);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: 'is too long' });
    return z.NEVER;
  });

/** A number in a query, from 1 to `most`. */
export function count(most: number): z.ZodType<number, string> {
  const must = `must be a whole number from 1 to ${String(most)}`;
  return z
    .string()
    .regex(/^[1-9]\d{0,5}$/, must)
    .transform(Number)
    .refine((number) => number <= most, must);
}

/** Where a connection stands. */
export const connectionStatus = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    provider: z.string(),
    clientId: z.string(),
    tokenEndpoint: z.string(),
    rotation: z.enum(['none', 'reusable', 'grace', 'single-use', 'unknown']),
    beginning: z.enum(['authorization_code', 'device_code', 'client_credentials', 'import']),
    account: z.string().nullable().meta({ description: 'a name for people; else the id' }),
    accountId: z.string().nullable().meta({ description: 'stays when the name changes' }),
    state: z.enum(['active', 'uncertain', 'attention', 'paused', 'disconnected']),
    freshness: z.enum(['fresh', 'due', 'expired', 'none']),
    since: instant.nullable(),
    actor: z.enum(['owner', 'operator', 'administrator', 'nobody']).nullable(),
    reason: z.string().nullable(),
    remedy: z.string().nullable(),
    grantId: z.string(),
    generation: z.number(),
    hasRefreshToken: z.boolean(),
    requestedScopes: words,
    grantedScopes: words,
    tokenScopes: words,
    receivedAt: instant.nullable(),
    accessExpiresAt: instant.nullable(),
    refreshExpiresAt: instant.nullable(),
    nextRefreshAt: instant.nullable(),
    lastError: z.strictObject({ at: instant, outcome: z.string(), message: z.string() }).nullable(),
    refreshingBy: z.string().nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Connection' });

/** A line of history. */
export const lifeEvent = z
  .strictObject({
    at: instant,
    event: z.string(),
    grantId: z.string(),
    generation: z.number(),
    by: z.string(),
    fingerprint: z.string().nullable(),
    detail: z.string().nullable(),
  })
  .meta({ id: 'LifeEvent' });

/** Why a connection stands where it does. */
export const explanation = z.strictObject({
  status: connectionStatus,
  cause: z.string(),
  confidence: z.enum(['certain', 'likely', 'possible']),
  fix: z.string(),
  life: z.array(lifeEvent),
});

/** A registration. */
export const clientStatus = z
  .strictObject({
    id: z.string(),
    provider: z.string(),
    clientId: z.string(),
    tokenEndpoint: z.string(),
    authentication: z.string(),
    overrides: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .meta({ description: 'of its profile, by path; what may be secret is …' }),
    hasSecret: z.boolean(),
    secretExpiresAt: instant.nullable(),
    refusedAt: instant.nullable(),
    refusal: z.string().nullable(),
    connections: z.number(),
  })
  .meta({ id: 'Client' });

/** An event that a receiver of webhooks could not be told. */
const deadLetter = z
  .strictObject({
    id: z.string().meta({ description: 'the webhook-id' }),
    webhook: z.string().meta({ description: 'name of the receiver in the settings' }),
    attempts: z.number(),
    reason: z.string().meta({ description: 'why the last attempt failed' }),
    deadAt: instant,
    event: z.string(),
    eventId: z.number(),
    at: instant,
    connection: z.string().nullable(),
    generation: z.number().nullable(),
    detail: z.string().nullable(),
  })
  .meta({ id: 'DeadLetter' });

/** A page of them, and all receivers. */
export const deadLetters = z.strictObject({
  deadLetters: z.array(deadLetter),
  webhooks: z.array(z.strictObject({ name: z.string(), waiting: z.number(), dead: z.number() })),
  next: z.string().nullable(),
});

/** An access token. */
export const accessToken = z
  .strictObject({
    accessToken: z.string(),
    type: z.string(),
    scope: words,
    expiresAt: instant,
    generation: z.number(),
  })
  .meta({ id: 'AccessToken' });

/** A problem. @see RFC 9457 */
export const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: 'a code of docs/errors.md' }),
    kind: z.string().meta({ description: 'a class of docs/errors.md: who must act' }),
    connection: z.string().optional(),
    retryAt: instant.optional(),
    refusal: z
      .strictObject({
        status: z.int(),
        error: z.string().optional(),
        errorDescription: z.string().optional(),
      })
      .optional(),
    holder: z.string().optional(),
    since: instant.optional(),
  })
  .meta({ id: 'Problem' });

const secret = z.string().min(1, 'must not be empty').max(16_384, 'is too long');
const scope = z.union([z.string(), words]);

/** The registration that a connection begins with. */
const client = z.strictObject({
  clientId: z.string().min(1, 'must not be empty'),
  clientSecret: secret.optional(),
  clientSecretExpiresAt: instant.optional(),
  authentication: z
    .enum(['none', 'client_secret_post', 'client_secret_basic', 'client_secret_basic_raw'])
    .optional(),
});

const begin = {
  name: z.string(),
  provider: z.string(),
  client,
  overrides: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'ProfileOverrides of docs/options.md' }),
  scope: scope.optional(),
  subscriptionKey: secret.optional(),
  perspioTenantId: z.string().optional(),
};

/** Tokens that were obtained elsewhere. */
export const importBody = z
  .strictObject({
    ...begin,
    tokens: z.strictObject({
      refreshToken: secret,
      accessToken: secret.optional(),
      accessExpiresAt: instant.optional(),
    }),
    replace: z.boolean().optional(),
  })
  .meta({ id: 'Import' });

/** A connection as the client itself. */
export const clientCredentialsBody = z
  .strictObject({
    ...begin,
    grant: z.literal('client-credentials'),
    reconnect: z.boolean().optional(),
  })
  .meta({ id: 'ClientCredentials' });

const life = duration
  .refine((ms) => ms >= 60_000 && ms <= 7 * 86_400_000, 'must be from 1m to 7d')
  .optional()
  .meta({ description: 'how long the link is good, such as 2h; 24h by default' });

const link = {
  life,
  anyAccount: z
    .boolean()
    .optional()
    .meta({ description: 'takes whichever account signs in; else it must be the one before' }),
};

/** What a link to consent is for. */
export const connectLinkBody = z.union([
  z
    .strictObject({ name: z.string(), scope: scope.optional(), ...link })
    .meta({ id: 'RenewalLink' }),
  z
    .strictObject({ ...begin, reconnect: z.boolean().optional(), ...link })
    .meta({ id: 'BeginningLink' }),
]);

/** A link to consent once more to what exists, as it is. */
export const renewLinkBody = z.strictObject({ life });

/** A link to consent. */
export const connectLinkAnswer = z
  .strictObject({
    url: z.string().meta({ description: 'for the person who must consent' }),
    redirectUri: z.string().meta({ description: 'must be registered at the authorization server' }),
    expiresAt: instant,
  })
  .meta({ id: 'ConnectLink' });

/** Another secret of a registration. */
export const secretBody = z.strictObject({
  secret,
  tokenEndpoint: z.string().optional(),
  expiresAt: instant.optional(),
});
