import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Connections } from '../../../src/daemon/http/connections.ts';

it('one peer that reaches two addresses from one port has two connections, and both end', async (context) => {
  if (process.platform !== 'linux')
    return context.skip('not run: only Linux answers at all of 127.0.0.0/8');
  const server = createServer();
  const connections = new Connections(server);
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const from = async (host: string, localPort: number): Promise<Socket> => {
    const arrived = once(server, 'connection');
    const socket = connect({ host, port, localAddress: '127.0.0.1', localPort });
    await Promise.all([once(socket, 'connect'), arrived]);
    return socket.on('error', () => undefined).resume();
  };
  const first = await from('127.0.0.1', 0);
  const second = await from('127.0.0.2', first.localPort ?? 0);
  expect(second.localPort).toBe(first.localPort);
  connections.end();
  // Ends once none is left; a forgotten one would keep it open.
  await new Promise((resolve) => server.close(resolve));
  expect(server.listening).toBe(false);
});
