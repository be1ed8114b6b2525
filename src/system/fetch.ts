import type { Socket } from 'node:net';
import type { buildConnector, Dispatcher } from 'undici';
import { systemClock, type Clock } from './clock.ts';
import { whenQueued } from './full-queue.ts';
import { tlsTrust } from './tls-trust.ts';

/** How the API is called: the shape of the platform's `fetch`. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** A `fetch` that may have connections of its own. */
export interface OwnFetch {
  /** As the platform's. */
  (...of: Parameters<Fetch>): ReturnType<Fetch>;
  /** Ends these connections once what is under way on them is done; nothing can be called any more. Resolves then; never rejects. */
  close(): Promise<void>;
}

/** Options of {@link nodeFetch}; all optional. */
export interface NodeFetchOptions {
  /** Certificates of further authorities, PEM; those of the machine stay trusted. */
  readonly ca?: readonly string[] | undefined;
  /** A Unix socket that all requests go through, whatever their host. */
  readonly socketPath?: string | undefined;
  /** Time, as long as that socket has no room; the machine's by default. */
  readonly clock?: Clock | undefined;
}

/** The platform's `fetch`. Only this file names it. */
export const systemFetch: Fetch = (input, init) => fetch(input, init);

/**
 * The platform's `fetch` with certificates always checked. Where the platform would not check them, or further authorities or a socket are
 * given, its requests take connections of ours, which use no proxy; their library is loaded then only.
 */
export function nodeFetch(options: NodeFetchOptions = {}): OwnFetch {
  const isOurs = options.ca !== undefined || options.socketPath !== undefined;
  let dispatcher: Promise<Dispatcher> | undefined;
  const call: Fetch = async (input, init) => {
    if (!isOurs && process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') {
      return systemFetch(input, init);
    }
    dispatcher ??= connections(options);
    const own: object = { ...init, dispatcher: await dispatcher };
    return systemFetch(input, own);
  };
  const close = async (): Promise<void> => {
    const made = await dispatcher?.catch(nothing);
    await made?.close().catch(nothing);
  };
  return Object.assign(call, { close });
}

function nothing(): undefined {
  return undefined;
}

async function connections({ ca, socketPath, clock }: NodeFetchOptions): Promise<Dispatcher> {
  const [{ Agent, buildConnector, Dispatcher1Wrapper }, trust] = await Promise.all([
    import('undici'),
    tlsTrust(ca),
  ]);
  const connect =
    socketPath === undefined
      ? trust
      : queued(buildConnector({ ...trust, socketPath }), clock ?? systemClock);
  // The platform may bring an older undici along, whose `fetch` speaks to connections in another way.
  return new Dispatcher1Wrapper(new Agent({ connect }));
}

function queued(connect: buildConnector.connector, clock: Clock): buildConnector.connector {
  return (options, callback) => {
    const once = (): Promise<Socket> =>
      new Promise((resolve, reject) => {
        connect(options, (error, socket) => {
          if (error === null) resolve(socket);
          else reject(error);
        });
      });
    whenQueued(once, clock).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error as Error, null),
    );
  };
}
