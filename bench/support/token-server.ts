import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** A token endpoint in a process of its own. */
export interface TokenServer {
  /** Its address. */
  readonly tokenEndpoint: string;
  /** Requests so far. */
  requests(): Promise<number>;
  /** Ends it. */
  close(): Promise<void>;
}

/** How a token server answers. */
export interface TokenServerOptions {
  /** How long each answer takes; none by default. */
  readonly delayMs?: number;
  /** Life of the access tokens; an hour by default. */
  readonly lifeSeconds?: number;
}

const main = path.join(import.meta.dirname, 'token-server.process.ts');

/** Starts one. Its answers are on plain http: TLS would cost all contenders the same, and hide what differs. */
export async function startTokenServer({
  delayMs = 0,
  lifeSeconds = 3600,
}: TokenServerOptions = {}): Promise<TokenServer> {
  const child = fork(main, [String(delayMs), String(lifeSeconds)], { execArgv: [] });
  const [port] = (await once(child, 'message')) as [number];
  return {
    tokenEndpoint: `http://127.0.0.1:${String(port)}/oauth2/v2.0/token`,
    async requests() {
      const answer = once(child, 'message');
      child.send('count');
      const [count] = (await answer) as [number];
      return count;
    },
    async close() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}
