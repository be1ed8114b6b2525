import { json, type Answer } from '../http/answer.ts';
import type { Request } from '../http/request.ts';
import type { AuthorizationServer } from '../server.ts';
import type { AccessToken } from '../state/access-tokens.ts';
import { gatewayAnswer } from './answers.ts';

const labels = [
  { id: 'in-LBL-000001', name: 'Depot' },
  { id: 'in-LBL-000002', name: 'Customer' },
];
const sites = [{ id: 'in-SITE-000001', name: 'Perth depot', timezone: 'Australia/Perth' }];

/** The emulated PerspioTalk behind the gateway: a few routes over data that lives as long as the emulator. */
export function createRoutes(
  server: AuthorizationServer,
): (request: Request, token: AccessToken) => Answer {
  const assets = new Map<string, Record<string, unknown>>(
    ['Excavator', 'Generator', 'Trailer'].map((name, i) => {
      const id = `in-00012${String(i)}`;
      return [id, { id, name }];
    }),
  );
  const collections = new Map<string, () => unknown>([
    ['/assets/v3', () => [...assets.values()]],
    ['/locations/v3/labels', () => labels],
    ['/sites/v3', () => sites],
  ]);
  return (request, token) => {
    const path = request.path.replace(/\/$/, '');
    if (path === '/directory/v3/user') return currentUser(server, request, token);
    const collection = collections.get(path);
    if (collection !== undefined) return readOnly(request, collection);
    const asset = assets.get(/^\/assets\/v3\/([\w-]+)$/.exec(path)?.[1] ?? '');
    if (asset === undefined) return gatewayAnswer(404, 'Resource not found.');
    return assetAnswer(request, token, asset);
  };
}

function readOnly(request: Request, value: () => unknown): Answer {
  return request.method === 'GET' ? json(200, value()) : gatewayAnswer(405, 'Method not allowed.');
}

function currentUser(server: AuthorizationServer, request: Request, token: AccessToken): Answer {
  if (token.grant === undefined) return gatewayAnswer(403, 'An application has no user.');
  const user = server.users.find(token.grant.username);
  return readOnly(request, () => ({ id: user.username, name: user.name }));
}

function assetAnswer(request: Request, token: AccessToken, asset: Record<string, unknown>): Answer {
  if (request.method === 'GET') return json(200, asset);
  if (request.method !== 'PATCH') return gatewayAnswer(405, 'Method not allowed.');
  // Client credentials can only read.
  if (token.grant === undefined) return gatewayAnswer(403, 'Not allowed.');
  let change: unknown;
  try {
    change = JSON.parse(request.body);
  } catch {
    return gatewayAnswer(400, 'The body is not JSON.');
  }
  if (typeof change !== 'object' || change === null) return gatewayAnswer(400, 'Not an object.');
  Object.assign(asset, change, { id: asset['id'] });
  return json(200, asset);
}
