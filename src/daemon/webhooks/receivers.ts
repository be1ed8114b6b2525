import { ConfigurationError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import type { WebhookSettings } from '../../settings.ts';
import { readPrivateFile } from '../../system/files.ts';

/** Who is told what happens. */
export interface Receiver {
  /** Its name. */
  readonly name: string;
  /** Where it is told. */
  readonly url: URL;
  /** Signing secrets as they are written, `whsec_` and base64; each signs, so that one can be replaced without a gap. */
  readonly secrets: readonly Secret[];
  /** Whether it is told of such events. */
  wants(event: string): boolean;
}

/** Where secrets that are named may be. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** In bytes, as the specification of Standard Webhooks has it. */
const [LEAST_SECRET, LONGEST_SECRET] = [24, 64];

/**
 * Reads the secrets of the receivers that the settings name.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when one is missing or no secret; {@link StoreError} `ERR_STORE_UNSAFE` when others can read it.
 */
export function readReceivers(
  settings: readonly WebhookSettings[] | undefined = [],
  environment: Environment,
): Promise<readonly Receiver[]> {
  return Promise.all(
    settings.map(async (hook) => {
      const events = hook.events === undefined ? undefined : new Set(hook.events);
      return {
        name: hook.name,
        url: new URL(hook.url),
        secrets: await readSecrets(hook, environment),
        wants: (event: string) => events?.has(event) ?? true,
      };
    }),
  );
}

async function readSecrets(
  { name, secretFile, secretVariable }: WebhookSettings,
  environment: Environment,
): Promise<readonly Secret[]> {
  const [where, text] =
    secretFile === undefined
      ? [`the variable ${secretVariable ?? ''}`, environment[secretVariable ?? '']]
      : [secretFile, await readText(secretFile)];
  const secrets = (text ?? '').split(/\s+/).filter((word) => word !== '');
  if (secrets.length === 0)
    throw wrong(name, `${where} ${text === undefined ? 'is not there' : 'is empty'}`);
  if (!secrets.every(isSecret)) {
    throw wrong(
      name,
      `${where} holds no signing secret: whsec_ and the base64 of ${LEAST_SECRET} to ${LONGEST_SECRET} bytes`,
    );
  }
  return secrets.map((secret) => new Secret(secret));
}

async function readText(file: string): Promise<string | undefined> {
  const bytes = await readPrivateFile(file);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}

function isSecret(text: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? '';
  const bytes = Buffer.from(base64, 'base64');
  const isWhole = bytes.toString('base64').replaceAll('=', '') === base64.replaceAll('=', '');
  return isWhole && bytes.length >= LEAST_SECRET && bytes.length <= LONGEST_SECRET;
}

function wrong(name: string, what: string): ConfigurationError {
  const hint = 'make one with: echo "whsec_$(openssl rand -base64 32)"';
  return new ConfigurationError(
    'ERR_CONFIGURATION',
    `the secret of the webhook ${name}: ${what}; ${hint}`,
  );
}
