import { connect } from 'node:net';
import type { Emulator } from '../../src/emulator/emulator.ts';

/** What a server answered, read whole. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json(): Record<string, unknown>;
}

/** Sends a request that follows no redirect and reads the answer. */
export async function call(url: string, options: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { redirect: 'manual', ...options });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: () => JSON.parse(text) as Record<string, unknown>,
  };
}

/** The members of a form; undefined leaves one out. */
export type FormMembers = Readonly<Record<string, string | undefined>>;

/** Posts a form. */
export function postForm(
  url: string,
  members: FormMembers,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const given = Object.entries(members).filter((pair): pair is [string, string] => {
    return pair[1] !== undefined;
  });
  return call(url, { method: 'POST', headers, body: new URLSearchParams(given) });
}

/** Asks for tokens as the emulator's demo client; `members` replace or, when undefined, remove its parameters. */
export function requestToken(
  emulator: Pick<Emulator, 'tokenEndpoint'>,
  members: FormMembers,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const demo = { client_id: 'perspio-demo', client_secret: 'demo~secret+1' };
  return postForm(emulator.tokenEndpoint, { ...demo, ...members }, headers);
}

/** Refreshes as the emulator's demo client. */
export function refresh(
  emulator: Pick<Emulator, 'tokenEndpoint'>,
  refreshToken: string | undefined,
  members: FormMembers = {},
): Promise<Reply> {
  return requestToken(emulator, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    scope: 'api://perspiotalk/all_readwrite offline_access',
    ...members,
  });
}

/** Writes bytes to the emulator and returns all that comes back until it closes the connection. */
export function sendRaw(emulator: Pick<Emulator, 'origin'>, request: string): Promise<string> {
  const { hostname, port } = new URL(emulator.origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => {
      resolve(Buffer.concat(chunks).toString('latin1'));
    });
  });
}
