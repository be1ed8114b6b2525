import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startApi } from '../../support/api-server.ts';
import { Findings } from './findings.ts';

const main = path.join(import.meta.dirname, '../../support/proxy-front.process.ts');
const MIB = 1024 * 1024;
/** What goes through before anything is measured, for the heap to find its size. */
const WARM_UP_MIB = 32;
/** What a stream may add, whatever its length: the buffers of its sockets, and what the collector has not come to yet. */
const MOST_ADDED_MIB = 48;
const KEPT = 'memory that stays flat';

/**
 * Sends long streams through the proxy in a process of its own, up, down and both ways at once, of known length and in chunks; looks at the memory
 * of that process meanwhile.
 *
 * @param mib - length of each.
 */
export async function streamLong(mib: number): Promise<Findings> {
  const findings = new Findings('streams', 'most MiB added', KEPT);
  await using api = await startApi((incoming, response) => void echo(incoming, response));
  const child = fork(main, [api.origin], { execArgv: ['--conditions=evergrant-test'] });
  try {
    const [port] = (await once(child, 'message')) as [number];
    for (const way of ['down', 'up', 'echo']) await stream(port, way, WARM_UP_MIB, true);
    for (const way of ['down', 'up', 'echo']) {
      for (const isChunked of [false, true]) {
        const before = await tell(child, 'reset');
        const passed = await stream(port, way, mib, isChunked);
        const added = Math.round(((await tell(child, 'most')) - before) / MIB);
        findings.count('streams');
        findings.counted['most MiB added'] = Math.max(
          findings.counted['most MiB added'] ?? 0,
          added,
        );
        const what = `${way}, ${isChunked ? 'in chunks' : 'of known length'}`;
        findings.check(added <= MOST_ADDED_MIB, KEPT, `${what}: ${String(added)} MiB`);
        findings.check(passed === mib * MIB, 'all of it', `${what}: ${String(passed)} bytes`);
      }
    }
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
  return findings;
}

async function tell(child: ChildProcess, order: 'reset' | 'most'): Promise<number> {
  const answer = once(child, 'message') as Promise<[number]>;
  child.send(order);
  return (await answer)[0];
}

/** One stream. @returns how many bytes came to its end. */
async function stream(port: number, way: string, mib: number, isChunked: boolean): Promise<number> {
  const sends = way !== 'down';
  const length = sends && !isChunked ? { 'content-length': String(mib * MIB) } : {};
  const call = request({
    port,
    method: sends ? 'POST' : 'GET',
    path: `/proxy/it/${way}?mib=${String(mib)}&chunked=${String(isChunked)}`,
    headers: { host: 'localhost', ...length },
    agent: false,
  });
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  const sent = sends ? pipeline(Readable.from(pieces(mib)), call) : void call.end();
  const [answer] = await answered;
  let bytes = 0;
  let said = '';
  for await (const chunk of answer) {
    bytes += (chunk as Buffer).length;
    if (way === 'up') said += String(chunk);
  }
  await sent;
  return way === 'up' ? Number(said) : bytes;
}

async function echo(incoming: IncomingMessage, response: import('node:http').ServerResponse) {
  const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://api');
  const mib = Number(searchParams.get('mib'));
  if (searchParams.get('chunked') === 'false' && pathname !== '/up')
    response.setHeader('content-length', mib * MIB);
  if (pathname === '/down') return pipeline(Readable.from(pieces(mib)), response);
  if (pathname === '/echo') return pipeline(incoming, response);
  let bytes = 0;
  for await (const chunk of incoming) bytes += (chunk as Buffer).length;
  response.end(String(bytes));
}

function* pieces(mib: number): Generator<Buffer> {
  const piece = Buffer.alloc(65_536, 'a');
  for (let i = 0; i < mib * 16; i++) yield piece;
}
