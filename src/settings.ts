import { ConfigurationError } from './errors.ts';
import { readPrivateFile } from './system/files.ts';

/** What `settings.json` in the home folder may say. */
export interface Settings {
  /** Program and arguments, run without a shell, that get a notice as JSON on standard input. */
  readonly notifyCommand?: readonly string[] | undefined;
  /** False forbids the one last try of an uncertain connection; then a person must order it. By default true. */
  readonly lastTry?: boolean | undefined;
  /** Most token requests a second to one endpoint, over all processes. By default 10. */
  readonly requestsPerSecond?: number | undefined;
}

/**
 * Reads a settings file. Without one nothing is loaded and everything is at its default.
 *
 * @param path - of `settings.json`; it must belong to this user and be closed to others, since it can name a program to run.
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` naming the option that is wrong; {@link StoreError} `ERR_STORE_UNSAFE` when others could have written it.
 */
export async function readSettings(path: string): Promise<Settings> {
  const bytes = await readPrivateFile(path);
  if (bytes === undefined) return {};
  return validate(path, parseJson(path, Buffer.from(bytes).toString('utf8')));
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigurationError(
      'ERR_CONFIGURATION',
      `${path} is not JSON; mend it, or remove it for the defaults`,
    );
  }
}

async function validate(path: string, value: unknown): Promise<Settings> {
  const z = await import('zod');
  const schema = z.strictObject(
    {
      notifyCommand: z
        .array(
          z.string('must be strings').min(1, 'must not be empty'),
          'must be a list: the program and its arguments',
        )
        .nonempty('must name a program')
        .optional(),
      lastTry: z.boolean('must be true or false').optional(),
      requestsPerSecond: z
        .number('must be a number')
        .min(0.1, 'must be 0.1 or more')
        .max(1_000, 'must be 1000 or less')
        .optional(),
    },
    {
      error: ({ code, input }) =>
        code === 'unrecognized_keys' ? undefined : `must be an object, not ${kindOf(input)}`,
    },
  );
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ConfigurationError(
    'ERR_CONFIGURATION',
    `${path}: ${result.error.issues.map(describe).join('; ')}`,
  );
}

function describe(issue: {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: unknown;
}): string {
  if (Array.isArray(issue.keys)) {
    return `${issue.keys.slice(0, 5).map(shown).join(', ')} is unknown; known are notifyCommand, lastTry, requestsPerSecond`;
  }
  const [option] = issue.path;
  return option === undefined ? issue.message : `${String(option)} ${issue.message}`;
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
