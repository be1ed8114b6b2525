import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accessToken, refreshToken } from './tokens.ts';

/*
 * A token endpoint that does as little as can be: reads the request to its end, waits as long as it is told, and issues the next tokens.
 * It judges nothing. Its argument is that wait in milliseconds, and the life of its access tokens in seconds.
 */
const [delayMs = 0, lifeSeconds = 3600] = process.argv.slice(2).map(Number);
let requests = 0;

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    const number = ++requests;
    const body = JSON.stringify({
      token_type: 'Bearer',
      scope: 'api://perspiotalk/all_readwrite',
      expires_in: lifeSeconds,
      access_token: accessToken(number),
      refresh_token: refreshToken(number),
    });
    const send = (): void => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    };
    if (delayMs === 0) send();
    else setTimeout(send, delayMs);
  });
});
server.keepAliveTimeout = 600_000;

server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('message', () => process.send?.(requests));
process.on('disconnect', () => process.exit());
