import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EvergrantError } from '../../src/errors.ts';
import { refreshAccessToken } from '../../src/token-endpoint.ts';
import { Findings } from '../faults/experiments/findings.ts';
import { httpAnswer, rawServer } from '../support/raw-server.ts';

/** Statuses that lead elsewhere, and where to. */
const STATUSES = [300, 301, 302, 303, 304, 305, 307, 308];

/** A token endpoint that sends its clients elsewhere: nothing must arrive there, whatever the status and the spelling of the place. */
export async function redirectTokenRequests(): Promise<Findings> {
  const findings = new Findings('redirects', 'arrived elsewhere', 'no refusal');
  const foreign = createServer((_request, response) => response.end('{"access_token":"evil"}'));
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  let arrived = 0;
  foreign.on('connection', () => arrived++);
  const { port } = foreign.address() as AddressInfo;
  const places = (own: string): string[] => [
    `http://127.0.0.1:${String(port)}/`,
    `http://localhost:${String(port)}/token`,
    `//127.0.0.1:${String(port)}/`,
    `http://${own}@127.0.0.1:${String(port)}/`,
    `https://127.0.0.1:${String(port)}/`,
    `\\\\127.0.0.1:${String(port)}/`,
    '/elsewhere',
    '',
  ];
  for (const status of STATUSES) {
    for (let place = 0; place < places('').length; place++) {
      await using server = await rawServer((socket) => {
        const location = places(new URL(server.url).host)[place] ?? '';
        socket.write(httpAnswer(status, '', { location, refresh: `0;url=${location}` }));
      });
      const error = await refreshAccessToken({
        tokenEndpoint: server.url,
        clientId: 'c',
        clientSecret: 'client-secret',
        refreshToken: 'refresh-token',
        insecureLoopback: true,
      }).catch((reason: unknown) => reason);
      findings.count('redirects');
      const detail = `status ${String(status)} to place ${String(place)}`;
      findings.check(error instanceof EvergrantError, 'no refusal', detail);
      findings.check(server.received.length === 1, 'arrived elsewhere', `again, ${detail}`);
    }
  }
  findings.check(arrived === 0, 'arrived elsewhere', `${String(arrived)} connections`);
  foreign.close();
  foreign.closeAllConnections();
  return findings;
}
