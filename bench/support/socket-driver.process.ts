import { connect } from 'node:net';
import { inLanes } from './lanes.ts';
import type { SocketOrder } from './socket-driver.ts';

/*
 * Callers of a server on a Unix socket, each with a connection that it keeps. They do little more than find the end of an answer, so that the
 * server has always something to do.
 */

interface Caller {
  /** Sends one request. Resolves when its answer is there. */
  call(message: string): Promise<void>;
}

const callers: Caller[] = [];

function connectTo(path: string): Caller {
  const socket = connect(path);
  let answered = Promise.withResolvers<undefined>();
  let seen = '';
  socket.setEncoding('latin1');
  socket.on('error', (error) => answered.reject(error));
  socket.on('data', (chunk: string) => {
    seen += chunk;
    const endOfHead = seen.indexOf('\r\n\r\n');
    if (endOfHead < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(seen)?.[1]);
    if (seen.length < endOfHead + 4 + length) return;
    const isGood = seen.startsWith('HTTP/1.1 200 ');
    if (!isGood) answered.reject(new Error(seen));
    seen = '';
    answered.resolve(undefined);
  });
  return {
    async call(message) {
      answered = Promise.withResolvers();
      socket.write(message);
      await answered.promise;
    },
  };
}

process.on('message', ({ socketPath, path, calls, concurrency }: SocketOrder) => {
  const message = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  while (callers.length < concurrency) callers.push(connectTo(socketPath));
  const free = [...callers];
  const work = async (): Promise<void> => {
    const caller = free.pop();
    if (caller === undefined) throw new Error('more calls at once than callers');
    await caller.call(message);
    free.push(caller);
  };
  void inLanes(calls, concurrency, work).then(() => process.send?.('done'));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
