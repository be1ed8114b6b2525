import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import Provider from 'oidc-provider';
import { adapterWithGrace } from './oidc-adapter.ts';
import { decideInteraction, INTERACTIONS, isInteraction } from './oidc-sign-in.ts';

/*
 * oidc-provider as a process of its own: a strict server written by others. Refresh tokens are good once, and using one again, after
 * the grace if there is one, revokes the whole grant. Takes its delays as JSON, prints its issuer as one line, and ends when its standard input closes. `GET /settled` answers
 * when every token request that has arrived is carried out.
 */
const { commitDelayMs, answerDelayMs, graceMs } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly commitDelayMs: number;
  readonly answerDelayMs: number;
  /** Set when a refresh token may be used again for so long. */
  readonly graceMs?: number;
};
const hour = (): number => 3600;
const kinds = ['Interaction', 'Session', 'Grant', 'AccessToken', 'RefreshToken', 'IdToken'];

const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'strict',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
  rotateRefreshToken: true,
  ...(graceMs !== undefined && { adapter: adapterWithGrace(graceMs) }),
  scopes: ['openid', 'offline_access'],
  ttl: Object.fromEntries(kinds.map((kind) => [kind, hour])),
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
  },
  interactions: INTERACTIONS,
  findAccount: (_context: unknown, accountId: string) => ({
    accountId,
    claims: () => ({ sub: accountId }),
  }),
});
const callback = provider.callback();
const underWay = new Set<Promise<void>>();

async function exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await delay(commitDelayMs);
  const { end } = response;
  // The answer leaves later than it was made.
  response.end = ((...answer: Parameters<typeof end>) => {
    void delay(answerDelayMs).then(() => end.apply(response, answer));
    return response;
  }) as typeof end;
  await callback(request, response);
}

async function settled(response: ServerResponse): Promise<void> {
  while (underWay.size > 0) await Promise.allSettled(underWay);
  response.end('settled');
}

function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/settled') return settled(response);
  if (isInteraction(request)) return decideInteraction(provider, 'strict', request, response);
  if (request.url !== '/token') return callback(request, response);
  const work = exchange(request, response).finally(() => underWay.delete(work));
  underWay.add(work);
  return work;
}

server.on('request', (request: IncomingMessage, response: ServerResponse) => {
  void serve(request, response);
});
process.stdout.write(`${issuer}\n`);
process.stdin.once('end', () => process.exit(0)).resume();
