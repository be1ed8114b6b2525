import { ConfigurationError } from './errors.ts';
import { lineOf, lineOfFault } from './settings/json-lines.ts';
import { knownOptions, settingsSchema } from './settings/schema.ts';
import { readPrivateFile } from './system/files.ts';

/** What `settings.json` in the home folder may say. */
export interface Settings {
  /** Program and arguments, run without a shell, that get a notice as JSON on standard input. */
  readonly notifyCommand?: readonly string[] | undefined;
  /** False forbids the one last try of an uncertain connection; then a person must order it. By default true. */
  readonly lastTry?: boolean | undefined;
  /** Most token requests a second to one endpoint, over all processes. By default 10. */
  readonly requestsPerSecond?: number | undefined;
  /** What `evergrant serve` does. */
  readonly daemon?: DaemonSettings | undefined;
}

/** What the daemon listens on and writes. All have defaults. */
export interface DaemonSettings {
  /** Absolute path of its Unix socket, in a folder closed to others; by default `run/evergrant.sock` in the home. At most 100 bytes. */
  readonly socket?: string | undefined;
  /** Address and port for TCP besides the socket, such as `127.0.0.1:7343`; by default none. Beyond loopback TLS is required. */
  readonly listen?: string | undefined;
  /** Certificates in PEM, the server's first; read again on SIGHUP. */
  readonly tlsCertificateFile?: string | undefined;
  /** The key of the certificate in PEM, owner-only; read again on SIGHUP. */
  readonly tlsKeyFile?: string | undefined;
  /** Further names under which the TCP address is called, as they stand in the Host field; a port belongs to it. */
  readonly hosts?: readonly string[] | undefined;
  /** Origin at which browsers on other machines reach the TCP address, such as `https://evergrant.example.com`; by default that address itself. */
  readonly publicUrl?: string | undefined;
  /** Form of its log on stderr: `text`, `json` (one object a line) or `journal` (priorities for systemd). By default `text`. */
  readonly log?: 'text' | 'json' | 'journal' | undefined;
  /** Rows of the audit that are kept, the newest. By default 100 000. */
  readonly auditRows?: number | undefined;
  /** Calls of one key that may be under way at once, and of all browsers of the dashboard together. By default 100. */
  readonly callsPerKey?: number | undefined;
  /** Who is told what happens. By default nobody. */
  readonly webhooks?: readonly WebhookSettings[] | undefined;
}

/** A receiver of webhooks. One of `secretFile` and `secretVariable` is needed. */
export interface WebhookSettings {
  /** Its name in the log and among dead letters; what waits for it belongs to this name. Small letters, digits and dashes, at most 40. */
  readonly name: string;
  /** Where it is told: https, or http to this machine alone. */
  readonly url: string;
  /** Absolute path of an owner-only file with the signing secret, `whsec_` and base64; several, one a line, all sign. Read again on SIGHUP. */
  readonly secretFile?: string | undefined;
  /** Variable of the environment that holds the signing secret, or several, separated by spaces. */
  readonly secretVariable?: string | undefined;
  /** Kinds of events that it is told, such as `attention`; by default all. */
  readonly events?: readonly string[] | undefined;
}

/**
 * Reads a settings file. Without one nothing is loaded and everything is at its default.
 *
 * @param path - of `settings.json`; it must belong to this user and be closed to others, since it can name a program to run.
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` naming line and option that are wrong; {@link StoreError} `ERR_STORE_UNSAFE` when others could have written it.
 */
export async function readSettings(path: string): Promise<Settings> {
  const bytes = await readPrivateFile(path);
  if (bytes === undefined) return {};
  const text = Buffer.from(bytes).toString('utf8');
  return validate(path, text, parseJson(path, text));
}

/**
 * Checks settings that a program gives, which win over those of the file, as those are checked. Without any nothing is loaded; what is undefined is
 * not given.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` naming the option that is wrong.
 */
export async function checkSettings(settings: unknown): Promise<Settings> {
  if (settings === undefined) return {};
  const judged = await judge(settings);
  if ('settings' in judged)
    return Object.fromEntries(
      Object.entries(judged.settings).filter(([, value]) => value !== undefined),
    );
  const told = judged.faults.map(({ path, fault }) =>
    worded({ path: ['settings', ...path], fault }),
  );
  throw new ConfigurationError('ERR_ARGUMENT', `${told.join('; ')}${judged.more}`);
}

/**
 * Checks options of `evergrant serve`, which win over those of the file, as those are checked.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` naming the option that is wrong.
 */
export async function checkOptions(
  options: Readonly<Partial<Record<'socket' | 'listen' | 'log', string>>>,
): Promise<Pick<DaemonSettings, 'socket' | 'listen' | 'log'>> {
  if (Object.keys(options).length === 0) return {};
  const z = await import('zod');
  const result = settingsSchema(z).shape.daemon.unwrap().safeParse(options);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue?.path[0] ?? '');
  throw new ConfigurationError('ERR_ARGUMENT', `--${name} ${issue?.message ?? 'is wrong'}`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const line = lineOfFault(text, error);
    throw new ConfigurationError(
      'ERR_CONFIGURATION',
      `${path} is not JSON${line === undefined ? '' : ` (line ${String(line)})`}; mend it, or remove it for the defaults`,
    );
  }
}

/** A list of ten thousand wrong ones is told of by its first. */
const MOST_FAULTS = 5;

async function validate(path: string, text: string, value: unknown): Promise<Settings> {
  const judged = await judge(value);
  if ('settings' in judged) return judged.settings;
  const told = judged.faults.map((found) => describe(text, found)).join('; ');
  throw new ConfigurationError('ERR_CONFIGURATION', `${path}: ${told}${judged.more}`);
}

/** What is wrong, and where. */
interface Fault {
  readonly path: readonly PropertyKey[];
  readonly fault: string;
}

/** @returns what is wrong, and in words that there is more of it, if nothing is right. */
async function judge(
  value: unknown,
): Promise<
  { readonly settings: Settings } | { readonly faults: readonly Fault[]; readonly more: string }
> {
  const z = await import('zod');
  const result = settingsSchema(z).safeParse(value);
  if (result.success) return { settings: result.data };
  const { issues } = result.error;
  const faults = issues.slice(0, MOST_FAULTS).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.slice(0, MOST_FAULTS).map((key) => ({
          path: [...issue.path, key],
          fault: `is unknown; known are ${knownOptions(z, issue.path).join(', ')}`,
        }))
      : [{ path: issue.path, fault: faultOf(issue, value) }],
  );
  const left = issues.length - MOST_FAULTS;
  return { faults, more: left > 0 ? `; and ${String(left)} more` : '' };
}

/** A member that is no object where one must be has no message of its own. */
function faultOf(
  issue: { readonly message: string; readonly path: readonly PropertyKey[]; readonly code: string },
  value: unknown,
): string {
  const isObject = 'expected' in issue && issue.expected === 'object';
  if (!isObject) return issue.message;
  let found = value;
  for (const part of issue.path) found = (found as Record<PropertyKey, unknown>)[part];
  return `must be an object, not ${kindOf(found)}`;
}

function describe(text: string, found: Fault): string {
  return `line ${String(lineOf(text, found.path))}: ${worded(found)}`;
}

function worded({ path, fault }: Fault): string {
  const names = path.filter((part) => typeof part === 'string').map(shown);
  return [names.join('.'), fault].filter((part) => part !== '').join(' ');
}

/** A name from the file, fit for a message. */
function shown(name: unknown): string {
  const text = String(name)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  if (text === '') return '""';
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value;
}
