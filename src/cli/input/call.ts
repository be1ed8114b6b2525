import { errnoOf } from '../../system/file-errors.ts';
import { readInputFile } from '../../system/input-file.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import { readStdin } from './sources.ts';

/** The options that say what is sent, as commander reads them. */
export interface CallOptions {
  readonly header?: readonly string[];
  readonly data?: string;
}

/** What `fetch` refuses. */
const UNSENDABLE_METHODS = ['CONNECT', 'TRACE', 'TRACK'];
const BODILESS_METHODS = ['GET', 'HEAD'];
/** Fields about the connection and the body's form, not about the call. */
const CONNECTION_FIELDS = [
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
];
const MOST_DATA_BYTES = 64 * 1024 * 1024;

/**
 * Reads what a call sends.
 *
 * @param method - by default GET, or with data POST.
 * @throws {@link UsageError} for what `fetch` cannot send, and data that cannot be read.
 */
export async function readCall(
  session: Session,
  method: string | undefined,
  { header = [], data }: CallOptions,
): Promise<RequestInit> {
  const sent = method?.toUpperCase() ?? (data === undefined ? 'GET' : 'POST');
  checkMethod(sent, data !== undefined);
  const body = data === undefined ? undefined : await dataOf(session, data);
  return { method: sent, headers: header.map(headerOf), ...(body !== undefined && { body }) };
}

function checkMethod(method: string, hasData: boolean): void {
  if (UNSENDABLE_METHODS.includes(method))
    throw new UsageError(`call cannot send ${method}; choose another method`);
  if (hasData && BODILESS_METHODS.includes(method))
    throw new UsageError(`--data does not go with ${method}; leave it out, or choose POST`);
}

async function dataOf(session: Session, data: string): Promise<string | Uint8Array<ArrayBuffer>> {
  if (!data.startsWith('@')) return data;
  const file = data.slice(1);
  if (file === '-') return Uint8Array.from(await readStdin(session, 'data', MOST_DATA_BYTES));
  try {
    return Uint8Array.from((await readInputFile(file, MOST_DATA_BYTES)).bytes);
  } catch (error) {
    throw new UsageError(`--data ${data} cannot be read (${errnoOf(error) ?? 'it is too long'})`);
  }
}

/** Values are not repeated: they may be secrets. */
function headerOf(line: string): [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError('--header takes a line such as "accept: application/json"');
  if (CONNECTION_FIELDS.includes(name.toLowerCase()))
    throw new UsageError(`--header ${name} is not taken: evergrant sets it as the call needs it`);
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new UsageError(
      `--header ${name}: its value holds a character that a header field cannot carry`,
    );
  return [name, value];
}
