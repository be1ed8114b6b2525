import { proof, send } from '../browser.ts';

/** The daemon refused, or could not be reached; the message is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;

  /** Status and message. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const BROKEN_OFF = 'The answer of the daemon broke off.';

/** Asks the daemon. @throws {@link ApiError} */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await answerTo(method, path, body);
  try {
    return (await response.json()) as T;
  } catch {
    throw new ApiError(0, BROKEN_OFF);
  }
}

/** Reads an answer of many lines as they come, until it ends or the signal ends it. @throws {@link ApiError} */
export async function lines(
  path: string,
  { signal }: { readonly signal?: AbortSignal },
  onLines: (lines: readonly string[]) => void,
): Promise<void> {
  const response = await answerTo('GET', path, undefined, signal);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunksOf(response)) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    if (parts.length > 0) onLines(parts);
  }
}

/** What comes, until it ends or breaks off. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* response.body ?? [];
  } catch {
    throw new ApiError(0, BROKEN_OFF);
  }
}

async function answerTo(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    response = await send(path, {
      method,
      headers: {
        'evergrant-proof': proof.read(),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    });
  } catch {
    throw new ApiError(0, 'The daemon does not answer. Is evergrant serve running?');
  }
  if (response.ok) return response;
  throw new ApiError(response.status, await messageOf(response));
}

async function messageOf(response: Response): Promise<string> {
  try {
    const { detail } = (await response.json()) as { detail?: string };
    return detail === undefined ? `It answered ${response.status}.` : sentence(detail);
  } catch {
    return `It answered ${response.status}.`;
  }
}

/** A message with a capital at its beginning and a full stop at its end. */
export function sentence(text: string): string {
  const begun = capital(text.trim());
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** A text with a capital at its beginning, unless that is a command. */
export function capital(text: string): string {
  return /^evergrant\b/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
