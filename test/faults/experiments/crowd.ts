import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeHomeOfTokens } from '../../support/living-token.ts';
import { askAt, serve, type Serving } from '../../support/serving.ts';
import { Findings } from './findings.ts';

/*
 * Callers who take their time, and callers who take too much, at a real daemon: sockets that are idle, heads that never end, fields without end, bodies
 * of 100 MB, bodies that come in pieces of one byte. Others must be served as ever, and the daemon's memory must not grow by more than 50 MB.
 */

const IDLE = 1_000;
const FLOODS = 100;
const BODY_BYTES = 100_000_000;
const PIECE = Buffer.alloc(65_536, 'x');
/** Senders of bodies in pieces of one byte, and the bytes of each: almost all that a body may have. */
const CRUMBLERS = 8;
const CRUMBS = 65_000;
const MOST_ADDED_BYTES = 50_000_000;
/** Draws that let the heap find its size. */
const WARM_UP = 2_000;
const GET = 'GET /v1/connections/it/token HTTP/1.1\r\nHost: localhost\r\n';
const POST =
  'POST /v1/refresh-due HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

/** @param draws - tokens that others draw meanwhile. */
export async function crowd(draws: number): Promise<Findings> {
  const findings = new Findings('sockets', 'tokens drawn', 'most MB added', 'refused', 'memory');
  const folder = await mkdtemp(path.join(tmpdir(), 'evergrant-crowd-'));
  await using _folder = {
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  const home = path.join(folder, 'home');
  await makeHomeOfTokens(home, { it: 86_400_000 });
  await using daemon = await serve(home);
  const throng = new Throng(daemon, findings);
  await throng.draw(WARM_UP);
  findings.counted['tokens drawn'] = 0;
  throng.begin();
  for (let i = 0; i < IDLE; i++) await throng.open(i % 2 === 0 ? '' : GET.slice(0, 40));
  await throng.draw(draws);
  for (let i = 0; i < FLOODS; i++) await throng.floodFields();
  await throng.draw(draws);
  await Promise.all([throng.floodBody(true), throng.floodBody(false), throng.draw(draws)]);
  await throng.draw(draws);
  await Promise.all(Array.from({ length: CRUMBLERS }, () => throng.crumble()));
  await throng.draw(draws);
  throng.end();
  return findings;
}

class Throng {
  readonly #daemon: Serving;
  readonly #findings: Findings;
  readonly #sockets: Socket[] = [];
  #before = 0;

  constructor(daemon: Serving, findings: Findings) {
    this.#daemon = daemon;
    this.#findings = findings;
  }

  /** Memory counts from here. */
  begin(): void {
    this.#before = this.#daemon.memory();
  }

  /** One more socket, which stays open. */
  async open(message: string): Promise<Socket> {
    const socket = connect(this.#daemon.socket);
    socket.on('error', () => undefined);
    this.#sockets.push(socket);
    await once(socket, 'connect');
    if (message !== '') socket.write(message);
    this.#findings.count('sockets');
    return socket;
  }

  /** Draws tokens on connections of their own. */
  async draw(howMany: number): Promise<void> {
    const findings = this.#findings;
    for (let i = 0; i < howMany; i++) {
      const { status } = await askAt(this.#daemon.socket, '/v1/connections/it/token');
      findings.count('tokens drawn');
      findings.check(status === 200, 'refused', `a caller got ${String(status)}`);
      if (i % 100 === 0) this.#weigh();
    }
  }

  /** Sends fields until the daemon has had enough. */
  async floodFields(): Promise<void> {
    const socket = await this.open(GET);
    await pour(socket, Buffer.from(`X-Field: ${'y'.repeat(1_000)}\r\n`.repeat(64)), BODY_BYTES);
    this.#weigh();
  }

  /** Sends a body until the daemon has had enough. */
  async floodBody(isChunked: boolean): Promise<void> {
    const length = isChunked
      ? 'Transfer-Encoding: chunked'
      : `Content-Length: ${String(BODY_BYTES)}`;
    const socket = await this.open(`${POST}${length}\r\n\r\n`);
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), PIECE, Buffer.from('\r\n')]);
    await pour(socket, isChunked ? chunk : PIECE, BODY_BYTES);
    this.#weigh();
  }

  /** Sends the longest body in pieces of one byte, and leaves its end out. */
  async crumble(): Promise<void> {
    const socket = await this.open(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
    const crumbs = Buffer.from('1\r\nx\r\n'.repeat(1_000));
    await pour(socket, crumbs, CRUMBS * 6);
    this.#weigh();
  }

  /** Judges by the most memory that was seen, and lets all go. */
  end(): void {
    this.#weigh();
    for (const socket of this.#sockets) socket.destroy();
    const { counted } = this.#findings;
    const added = counted['most MB added'] ?? 0;
    this.#findings.check(added * 1_000_000 <= MOST_ADDED_BYTES, 'memory', `${String(added)} MB`);
  }

  #weigh(): void {
    if (this.#before === 0) return;
    const { counted } = this.#findings;
    const added = Math.round((this.#daemon.memory() - this.#before) / 1_000_000);
    counted['most MB added'] = Math.max(counted['most MB added'] ?? 0, added);
  }
}

/** Writes until so much was written, or the other side closes. */
async function pour(socket: Socket, piece: Buffer, bytes: number): Promise<void> {
  socket.resume();
  const closed = once(socket, 'close').catch(() => undefined);
  for (let written = 0; written < bytes && !socket.destroyed; written += piece.length) {
    if (socket.write(piece)) continue;
    const drained = once(socket, 'drain').catch(() => undefined);
    await Promise.race([drained, closed]);
  }
}
