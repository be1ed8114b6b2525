import type { Command } from 'commander';
import { Secret } from '../../secret.ts';
import { readDescriptor, readInputFile } from '../../system/input-file.ts';
import { warn, type Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { askSecret } from './ask.ts';
import { camelCase } from './camel-case.ts';
import { readStdin, reading } from './sources.ts';

/** What commander read: option names in camel case to their values. */
export type OptionValues = Readonly<Record<string, unknown>>;

const MOST_BYTES = 64 * 1024;

/** The ways a secret may come in, as options; none of them holds the secret itself, since other users can read arguments. */
const WAYS = {
  file: '-file',
  descriptor: '-fd',
  stdin: '-stdin',
} as const;

/** Names of secrets as they are asked for; `--<name>` with a value is refused. */
export const SECRET_NAMES = [
  'client-secret',
  'refresh-token',
  'access-token',
  'subscription-key',
  'passphrase',
] as const;

/** One of {@link SECRET_NAMES}. */
export type SecretName = (typeof SECRET_NAMES)[number];

/** Declares the options by which a secret comes in: `--<name>-file`, `--<name>-fd` and `--<name>-stdin`. */
export function addSecretOptions(command: Command, name: SecretName, what: string): Command {
  return command
    .option(`--${name}${WAYS.file} <file>`, `file that holds ${what}; - reads standard input`)
    .option(`--${name}${WAYS.descriptor} <number>`, `open file descriptor that gives ${what}`)
    .option(`--${name}${WAYS.stdin}`, `read ${what} from standard input`);
}

/**
 * Reads a secret from where the options say.
 *
 * @returns undefined when no option says anything.
 * @throws {@link UsageError} when two say something, or what they name cannot be read, is empty or has several lines.
 */
export async function readSecret(
  session: Session,
  options: OptionValues,
  name: SecretName,
): Promise<Secret | undefined> {
  const file = options[camelCase(name + WAYS.file)];
  const descriptor = options[camelCase(name + WAYS.descriptor)];
  const stdin = options[camelCase(name + WAYS.stdin)];
  const given = [file, descriptor, stdin].filter((value) => value !== undefined);
  if (given.length > 1) throw new UsageError(`give only one of ${waysOf(name)}`);
  if (stdin === true || file === '-')
    return secretFrom(await readStdin(session, words(name), MOST_BYTES), 'standard input');
  if (typeof file === 'string') return fromFile(session, file);
  if (typeof descriptor === 'string')
    return fromDescriptor(descriptor, `--${name}${WAYS.descriptor}`);
  return undefined;
}

/**
 * As {@link readSecret}, but asks at the terminal when no option says anything.
 *
 * @throws {@link UsageError} when there is no terminal.
 */
export async function requireSecret(
  session: Session,
  options: OptionValues,
  name: SecretName,
): Promise<Secret> {
  return (await secretToAskFor(session, options, name))();
}

/**
 * As {@link requireSecret}, but for the question, which is put when the result is called: after what is known without it.
 *
 * @throws likewise.
 */
export async function secretToAskFor(
  session: Session,
  options: OptionValues,
  name: SecretName,
): Promise<() => Promise<Secret>> {
  const secret = await readSecret(session, options, name);
  if (secret !== undefined) return () => Promise.resolve(secret);
  if (session.stdin.isTTY !== true) {
    throw new UsageError(
      `no ${words(name)}, and no terminal to ask for it; give one of ${waysOf(name)}`,
    );
  }
  return () => askSecret(session, words(name));
}

/** The ways to hand a secret in, for a message. */
export function waysOf(name: SecretName): string {
  return `--${name}${WAYS.file} FILE, --${name}${WAYS.descriptor} N, --${name}${WAYS.stdin}`;
}

async function fromFile(session: Session, file: string): Promise<Secret> {
  const { bytes, isReadableByOthers } = await reading(file, () => readInputFile(file, MOST_BYTES));
  if (isReadableByOthers) warn(session, `other users may read ${file}; chmod 600 closes it`);
  return secretFrom(bytes, file);
}

async function fromDescriptor(text: string, option: string): Promise<Secret> {
  if (!/^\d{1,6}$/.test(text))
    throw new UsageError(`${option} takes the number of an open file descriptor`);
  const source = `file descriptor ${text}`;
  const read = (): Promise<Buffer> => readDescriptor(Number(text), MOST_BYTES);
  const remedy = `open it for evergrant, as in ${text}< FILE`;
  return secretFrom(await reading(source, read, remedy), source);
}

/** One newline at the end belongs to the file, not to the secret; so does the mark that some editors begin with. */
function secretFrom(bytes: Buffer, source: string): Secret {
  const value = textOf(bytes, source).replace(/\r?\n$/, '');
  if (value.trim() === '')
    throw new UsageError(`${source} is empty; it must hold the secret and nothing else`);
  if (/\p{Cc}/u.test(value)) {
    throw new UsageError(
      `${source} has several lines or control characters; it must hold the secret and nothing else`,
    );
  }
  return new Secret(value);
}

function textOf(bytes: Buffer, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`${source} is no UTF-8 text; it must hold the secret and nothing else`);
  }
}

/** `client-secret` as people say it. */
function words(name: SecretName): string {
  return name.replaceAll('-', ' ');
}
