import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type AddressInfo, type LookupFunction, type Server } from 'node:net';
import { Findings } from '../faults/experiments/findings.ts';
import { KEY, sendRaw, startFront, TOKEN, type Front } from '../support/proxy-front.ts';
import { OPEN_PROXY_CASES, REBINDINGS, type OpenProxyCase } from './open-proxy-cases.ts';

/** A name on the list of origins, and of which the attacker says where it leads. */
const REBOUND = 'rebound.example';
const HOSTILE = 'an attack got through';

/** What arrived at the API. */
interface Api {
  readonly server: HttpServer;
  readonly port: number;
  readonly targets: string[];
}

/** A listener that nothing may reach. */
interface Elsewhere {
  readonly server: Server;
  readonly port: number;
  connections: number;
}

/**
 * Tries to use the proxy for what it is not for: other hosts, other addresses behind an allowed name, paths that mean another one, and messages that
 * hide a second one. The listener elsewhere must hear nothing, the API at most the one call, and no answer may hold a secret.
 */
export async function tryOpenProxy(): Promise<Findings> {
  const findings = new Findings('attacks', HOSTILE);
  const [api, elsewhere] = await Promise.all([startApi(), startElsewhere()]);
  const origins = [
    `http://127.0.0.1:${String(api.port)}`,
    `http://${REBOUND}:${String(elsewhere.port)}`,
  ];
  try {
    await using front = await startFront({ origins, lookup: rebinding() });
    for (const attack of OPEN_PROXY_CASES)
      await attempt(attack, { front, api, elsewhere, findings });
    for (const addresses of REBINDINGS) {
      const path = `/proxy/it/http://${REBOUND}:${String(elsewhere.port)}/${addresses.join(',')}`;
      const bytes = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
      next = addresses;
      const what = `a name that leads to ${addresses.join(' and ')}`;
      await attempt({ what, bytes, mayPass: false }, { front, api, elsewhere, findings });
    }
  } finally {
    api.server.closeAllConnections();
    api.server.close();
    elsewhere.server.close();
  }
  return findings;
}

let next: readonly string[] = [];

function rebinding(): LookupFunction {
  return (_name, _options, callback) => {
    const found = next.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (found.length === 0) callback(Object.assign(new Error(), { code: 'ENOTFOUND' }), []);
    else callback(null, found);
  };
}

interface Scene {
  readonly front: Front;
  readonly api: Api;
  readonly elsewhere: Elsewhere;
  readonly findings: Findings;
}

async function attempt(attack: OpenProxyCase, scene: Scene): Promise<void> {
  const { front, api, elsewhere, findings } = scene;
  findings.count('attacks');
  const bytes = attack.bytes
    .replaceAll('ELSEWHERE', String(elsewhere.port))
    .replaceAll('API', String(api.port));
  api.targets.length = 0;
  elsewhere.connections = 0;
  const received = await sendRaw(front.port, bytes, isEnough);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(received)?.[1] ?? 0);
  const breach = breachOf(attack, { status, received, api, elsewhere, front });
  findings.check(breach === undefined, HOSTILE, `${attack.what}: ${String(breach)}`);
  front.faults.length = 0;
}

function breachOf(
  { mayPass }: OpenProxyCase,
  seen: Omit<Scene, 'findings'> & { readonly status: number; readonly received: string },
): string | undefined {
  const { status, received, api, elsewhere, front } = seen;
  if (elsewhere.connections > 0) return 'something arrived elsewhere';
  if (received.includes(TOKEN) || received.includes(KEY)) return 'the answer holds a secret';
  if (front.faults.length > 0) return `a fault: ${String(front.faults[0])}`;
  if (api.targets.some((target) => target.includes('smuggled')))
    return 'a second call was smuggled';
  if (mayPass) {
    const others = api.targets.filter((target) => target !== '/a');
    return api.targets.length > 1 || others.length > 0
      ? `${api.targets.join()} arrived`
      : undefined;
  }
  if (api.targets.length > 0) return `${api.targets.join()} arrived at the API`;
  // Node's own parser closes without a word where it cannot even answer.
  return status === 0 || (status >= 400 && status !== 500) ? undefined : `status ${String(status)}`;
}

/** An answer that is complete, however many may follow. */
function isEnough(received: string): boolean {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = received.slice(0, end);
  // Whatever would come next comes on this connection: it is read until the proxy closes it.
  return !/^connection: close/im.test(head) && isWhole(head, received.slice(end + 4));
}

function isWhole(head: string, body: string): boolean {
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  return length === undefined ? body.endsWith('0\r\n\r\n') : body.length >= Number(length);
}

async function startApi(): Promise<Api> {
  const targets: string[] = [];
  const server = createHttpServer((request, response) => {
    targets.push(request.url ?? '');
    request.resume().on('end', () => response.end('the API'));
    request.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, targets };
}

async function startElsewhere(): Promise<Elsewhere> {
  const server = createServer((socket) => {
    elsewhere.connections++;
    socket.destroy();
  });
  server.listen(0);
  await once(server, 'listening');
  const elsewhere: Elsewhere = {
    server,
    port: (server.address() as AddressInfo).port,
    connections: 0,
  };
  return elsewhere;
}
