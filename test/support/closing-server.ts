import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A server on another thread, so that it acts while this one does nothing else. */
export interface ClosingServer extends AsyncDisposable {
  /** Its address. */
  readonly url: string;
  /** Ends all its connections, and keeps this thread from noticing until they are ended. */
  endAllMeanwhile(): void;
}

const CODE = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok'));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  parentPort.on('message', async () => {
    // The kernel connects before this thread hears of it.
    while (sockets.size === 0) await new Promise((heard) => setImmediate(heard));
    await Promise.all([...sockets].map((socket) => new Promise((done) => socket.end(done))));
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);
  });
`;

/** Starts one that answers each request with `200 ok`. */
export async function closingServer(): Promise<ClosingServer> {
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(CODE, { eval: true, workerData: ended });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${String(port)}/token`,
    endAllMeanwhile() {
      Atomics.store(ended, 0, 0);
      worker.postMessage('end');
      Atomics.wait(ended, 0, 0);
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
