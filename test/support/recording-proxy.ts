import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Canary } from './leaks.ts';

/** A proxy in front of an authorization server that keeps every secret that passes over the wire. */
export interface RecordingProxy extends AsyncDisposable {
  readonly origin: string;
  readonly canaries: () => readonly Canary[];
}

const REQUEST_SECRETS = [
  'client_secret',
  'refresh_token',
  'code',
  'code_verifier',
  'device_code',
] as const;
const ANSWER_SECRETS = ['access_token', 'refresh_token', 'id_token', 'device_code'] as const;

/** Starts the proxy on loopback. */
export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const seen = new Map<string, string>();
  const keep = (kind: string, value: string | null | undefined): void => {
    if (typeof value === 'string' && value.length >= 6) seen.set(value, kind);
  };
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const form = new URLSearchParams(body.toString('utf8'));
      for (const name of REQUEST_SECRETS) keep(name, form.get(name));
      keep('basic', incoming.headers.authorization?.split(' ')[1]);
      const url = new URL(incoming.url ?? '/', target);
      const { method, headers } = incoming;
      const forwarded = request(
        url,
        { method, headers: { ...headers, host: url.host } },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('end', () => {
            const text = Buffer.concat(parts);
            keepAnswer(text.toString('utf8'), keep);
            const { location } = answer.headers;
            if (location !== undefined) keep('code', URL.parse(location)?.searchParams.get('code'));
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
            outgoing.end(text);
          });
        },
      );
      // A server that hangs up is passed on as such.
      forwarded.on('error', () => incoming.socket.destroy());
      forwarded.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    canaries: () => [...seen].map(([value, kind]) => ({ kind, value })),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function keepAnswer(text: string, keep: (kind: string, value: string | undefined) => void): void {
  let members: Record<string, unknown>;
  try {
    members = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return;
  }
  for (const name of ANSWER_SECRETS) {
    const value = members[name];
    if (typeof value === 'string') keep(name, value);
  }
}
