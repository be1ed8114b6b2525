import { Agent, request as httpsRequest } from 'node:https';
import { afterEach, beforeEach, expect } from 'vitest';
import { startEmulator, type Emulator } from '../../../src/emulator/emulator.ts';

/*
 * An emulator for clients that know nothing of evergrant: what they accept is what the real services send. They come in over TLS and trust
 * nothing but the emulator's own authority.
 */

export const clientId = 'perspio-demo';
export const clientSecret = 'demo~secret+1';
export const redirectUri = 'http://localhost/callback';
export const apiScope = 'api://perspiotalk/access_as_user';

/** What a request got. */
export interface Received {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** The emulator of the running test, and ways to it. */
export interface Judged {
  readonly emulator: Emulator;
  /** One request that trusts the emulator's authority and follows no redirect. */
  send(
    url: string,
    options?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Received>;
  /** The same in the form of the standard `fetch`. */
  fetch(
    url: string,
    options: { method: string; headers: Record<string, string>; body?: unknown },
  ): Promise<Response>;
  /** Goes to the authorization URL as a browser would. @returns where it is sent. */
  visit(url: string): Promise<URL>;
}

/** Gives a test file an emulator for each of its tests. */
export function judgedEmulator(): Judged {
  let emulator: Emulator;
  let agent: Agent;
  beforeEach(async () => {
    emulator = await startEmulator({
      tls: true,
      autoSignIn: 'demo@perspio.io',
      deviceIntervalSeconds: 1,
      rotation: 'single-use',
      announceIss: true,
      revocationEndpoint: true,
    });
    agent = new Agent({ ca: emulator.caCertificate, keepAlive: true });
  });
  afterEach(async () => {
    agent.destroy();
    await emulator.close();
  });
  const judged: Judged = {
    get emulator() {
      return emulator;
    },
    send: (url, options = {}) => send(agent, url, options),
    async fetch(url, { method, headers, body }) {
      const text =
        body instanceof URLSearchParams || typeof body === 'string' ? body.toString() : undefined;
      const received = await judged.send(url, {
        method,
        headers,
        ...(text !== undefined && { body: text }),
      });
      const content = received.status === 204 ? null : received.body;
      return new Response(content, { status: received.status, headers: received.headers });
    },
    async visit(url) {
      const { status, headers } = await judged.send(url);
      expect(status).toBe(302);
      return new URL(headers['location'] ?? '');
    },
  };
  return judged;
}

function send(
  agent: Agent,
  url: string,
  { method = 'GET', headers = {}, body }: Parameters<Judged['send']>[1] & object,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const message = httpsRequest(url, { agent, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(
            Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
          ),
          body: Buffer.concat(chunks).toString('utf8'),
        });
      });
    });
    message.once('error', reject);
    message.end(body);
  });
}
