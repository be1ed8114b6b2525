import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { buffer } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

/** A webhook as it came in, its signature checked by the library of the specification's authors. */
export interface Heard {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly id: number;
    readonly at: number;
    readonly connection: string | null;
    readonly generation: number | null;
    readonly detail: string | null;
  };
  readonly headers: IncomingMessage['headers'];
}

/** How a receiver answers; `hang` is never to. */
export type Reply =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Real time until the answer; what is accepted is accepted before. */ readonly afterMs?: number;
    }
  | 'hang'
  | 'cut';

/** A receiver of webhooks that a test instructs. */
export interface HookReceiver extends AsyncDisposable {
  readonly url: string;
  /** What came, in order. */
  readonly heard: Heard[];
  /** What came and was answered with 200, in order. */
  readonly accepted: Heard[];
  /** What came and could not be verified. */
  readonly forged: string[];
  /** Requests that hang. */
  readonly hanging: number;
  /** Decides about each webhook; by default it is accepted. */
  reply: (heard: Heard) => Reply;
  /** Ends all connections and listens no more. */
  stop(): Promise<void>;
  /** Listens again where it did. */
  restart(): Promise<void>;
}

/** A signing secret, different for each seed from 0 to 255. */
export function hookSecret(seed: number): string {
  return `whsec_${Buffer.alloc(32, seed).toString('base64')}`;
}

/**
 * Starts a receiver on loopback.
 *
 * @param now - what its clock shows; by default the machine's.
 */
export async function startHookReceiver(
  secret: string,
  now: () => number = Date.now,
): Promise<HookReceiver> {
  const judge = new Webhook(secret);
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = (await buffer(request)).toString('utf8');
    const heard = verify(judge, body, request, now);
    if (heard === undefined) {
      receiver.forged.push(body);
      response.writeHead(401).end();
      return;
    }
    receiver.heard.push(heard);
    const reply = receiver.reply(heard);
    if (reply === 'cut') {
      request.socket.destroy();
    } else if (reply === 'hang') {
      receiver.hanging++;
      response.on('close', () => receiver.hanging--);
    } else {
      if (reply.status === 200) receiver.accepted.push(heard);
      if (reply.afterMs !== undefined) await delay(reply.afterMs);
      response.writeHead(reply.status, reply.headers).end();
    }
  };
  const open = async (port: number): Promise<Server> => {
    const made = createServer((request, response) => {
      request.on('error', () => undefined);
      response.on('error', () => undefined);
      receive(request, response).catch(() => undefined);
    });
    made.listen(port, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  let server = await open(0);
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const receiver = {
    url: `http://127.0.0.1:${String(port)}/hook?from=evergrant`,
    heard: [] as Heard[],
    accepted: [] as Heard[],
    forged: [] as string[],
    hanging: 0,
    reply: (): Reply => ({ status: 200 }),
    stop,
    async restart() {
      server = await open(port);
    },
    [Symbol.asyncDispose]: stop,
  } satisfies HookReceiver as HookReceiver & { hanging: number };
  return receiver;
}

/** The library compares with the machine's clock, so what a moved clock signed is first checked there, and its instant here. */
function verify(
  judge: Webhook,
  body: string,
  { headers, method, url }: IncomingMessage,
  now: () => number,
): Heard | undefined {
  const id = String(headers['webhook-id']);
  const seconds = Number(headers['webhook-timestamp']);
  const isRecent = Math.abs(now() - seconds * 1_000) < 300_000;
  const given = String(headers['webhook-signature']).split(' ');
  const isSigned = given.includes(judge.sign(id, new Date(seconds * 1_000), body));
  if (!isRecent || !isSigned || method !== 'POST' || url !== '/hook?from=evergrant')
    return undefined;
  return { id, headers, ...(JSON.parse(body) as Omit<Heard, 'id' | 'headers'>) };
}
