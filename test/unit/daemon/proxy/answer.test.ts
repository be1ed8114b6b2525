import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { passOn } from '../../../../src/daemon/proxy/answer.ts';
import { StreamingError } from '../../../../src/system/streaming.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A caller that has the head of an answer and reads no further. */
async function silentCaller(): Promise<
  { response: ServerResponse; heard: () => Promise<IncomingMessage> } & AsyncDisposable
> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = request({ port, host: '127.0.0.1', agent: false });
  const head = once(asked, 'response');
  asked.end();
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  return {
    response,
    heard: async () => ((await head) as [IncomingMessage])[0],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

it('an answer that lies here whole is broken off as well when it must not be told any more', async () => {
  await using caller = await silentCaller();
  const { response } = caller;
  const ended = new AbortController();
  const body = new Readable({ read: () => undefined });
  const answer = {
    ...{ status: 200, headers: [], body, begun: [] },
    failureOf: () => new StreamingError('broken', 'it broke'),
    discard: () => Promise.resolve(),
  };
  const options = { secrets: [], locate: (location: string) => location, signal: ended.signal };
  let isOver = false;
  const passed = passOn(answer, response, options).then(() => (isOver = true));
  const stream = await caller.heard();
  // Until no buffer of the system on the way takes any more.
  for (let still = 0; still < 100; still++) {
    if (response.writableLength === 0) still = body.push(Buffer.alloc(8_192)) ? 0 : still;
    await turn();
  }
  body.push(null);
  await vi.waitUntil(() => body.readableEnded, { timeout: 30_000 });
  expect(isOver).toBe(false);
  ended.abort();
  await vi.waitUntil(() => isOver, { timeout: 30_000 });
  await passed;
  stream.resume();
  await expect(once(stream, 'end')).rejects.toThrow('aborted');
});
