import { createServer } from 'node:http';

/*
 * A server of `node:http` on a socket that answers whatever it is asked with the same text: what a machine makes of the least that can be done.
 */

const [socketPath = '', characters = '0'] = process.argv.slice(2);
const body = JSON.stringify({ accessToken: 'a'.repeat(Number(characters)) });

createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}).listen(socketPath, () => process.send?.('listening'));
process.on('disconnect', () => process.exit());
