import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { systemClock } from './clock.ts';
import { exchange } from './http-exchange.ts';
import { HttpConnectError, type Http } from './http.ts';
import { idleSockets } from './idle-sockets.ts';
import { tlsTrust, type TlsTrust } from './tls-trust.ts';

/** Options of {@link nodeHttp}; all optional. */
export interface NodeHttpOptions {
  /** Certificates of further authorities, PEM; those of the machine stay trusted. */
  readonly ca?: readonly string[] | undefined;
  /** Replaces the resolution of host names, in tests. */
  readonly lookup?: LookupFunction;
}

/**
 * HTTP/1.1 over Node's own sockets: TLS 1.2 or newer, certificates checked, no proxy, no cookie, no redirect, nothing resent. TLS is
 * loaded when the first https address is met, so that a short-lived process pays only for what it uses.
 */
export function nodeHttp(options: NodeHttpOptions = {}): Http {
  const idle = idleSockets();
  let trust: Promise<TlsTrust> | undefined;

  const open = async (url: URL): Promise<Socket> => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const target = { host, port, ...(options.lookup && { lookup: options.lookup }) };
    if (url.protocol === 'http:') return connectTcp({ ...target, noDelay: true });
    const tls = await import('node:tls');
    trust ??= tlsTrust(options.ca);
    const socket = tls.connect({
      ...target,
      ...(await trust),
      ALPNProtocols: ['http/1.1'],
      // RFC 6066 forbids addresses here.
      ...(!/^[\d.]+$|:/.test(host) && { servername: host }),
    });
    return socket.setNoDelay(true);
  };

  return {
    async connect(url, { fresh, timeoutMs, signal }) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:')
        throw new HttpConnectError(`the address scheme ${url.protocol} is not supported`);
      if (signal?.aborted === true) throw new HttpConnectError('the caller gave up');
      const socket =
        (fresh ? undefined : idle.take(url.origin)) ??
        (await established(await open(url), url, timeoutMs, signal));
      return exchange(socket, url, (reusable) => idle.put(url.origin, reusable));
    },
    close: () => idle.close(),
  };
}

/** Waits until DNS, TCP and TLS are done. */
function established(
  socket: Socket,
  url: URL,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const done = url.protocol === 'https:' ? 'secureConnect' : 'connect';
    const settle = (failure?: string): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      socket.off(done, onDone).off('error', onError).off('close', onClose);
      if (failure === undefined) {
        resolve(socket);
        return;
      }
      socket.on('error', () => undefined).destroy();
      reject(new HttpConnectError(`no connection to ${url.origin}: ${failure}`));
    };
    const onDone = (): void => settle();
    const onError = (error: NodeJS.ErrnoException): void => settle(reasonOf(error));
    const onClose = (): void => settle('the server closed it');
    const onAbort = (): void => settle('the caller gave up');
    const timer = systemClock.timer(timeoutMs, () => settle(`none within ${String(timeoutMs)} ms`));
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on(done, onDone).on('error', onError).on('close', onClose);
  });
}

/** The code is what people search for; a failed attempt at several addresses has its codes one level down. */
function reasonOf(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError) {
    const codes = error.errors.map((inner: NodeJS.ErrnoException) => inner.code ?? inner.message);
    return [...new Set(codes)].join(', ');
  }
  return error.code === undefined ? error.message : `${error.code}, ${error.message}`;
}
