import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { systemClock, type Clock } from './clock.ts';
import { Channel } from './http-channel.ts';
import { HttpConnectError, HttpExchangeError, type Http, type HttpConnection } from './http.ts';
import { IdleChannels } from './idle-channels.ts';
import { allHeard } from './turn.ts';

/** Options of {@link nodeHttp}; all optional. */
export interface NodeHttpOptions {
  /** Certificates of further authorities, PEM; those of the machine stay trusted. */
  readonly ca?: readonly string[] | undefined;
  /** Replaces the resolution of host names, in tests. */
  readonly lookup?: LookupFunction;
  /** Tells how long connections have been idle; for tests. */
  readonly clock?: Clock;
}

/**
 * HTTP/1.1 over Node's own sockets: TLS 1.2 or newer, certificates checked, no proxy, no cookie, no redirect, nothing resent. TLS is
 * loaded when the first https address is met, so that a short-lived process pays only for what it uses.
 */
export function nodeHttp(options: NodeHttpOptions = {}): Http {
  const { clock = systemClock } = options;
  const idle = new Map<string, IdleChannels>();
  let isClosed = false;
  const open = opener(options);
  const idleOf = (origin: string): IdleChannels => {
    let channels = idle.get(origin);
    if (channels === undefined) {
      channels = new IdleChannels(clock);
      if (isClosed) channels.close();
      idle.set(origin, channels);
    }
    return channels;
  };

  return {
    async connect(url, { fresh, timeoutMs, signal }) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:')
        throw new HttpConnectError(`the address scheme ${url.protocol} is not supported`);
      if (signal?.aborted === true) throw new HttpConnectError('the caller gave up');
      const channels = idleOf(url.origin);
      const channel = fresh ? undefined : channels.take();
      if (channel !== undefined) return connectionOn(channel, url, channels);
      const socket = await established(await open(url), url, timeoutMs, signal);
      return connectionOn(new Channel(socket), url, channels);
    },
    atHand(url) {
      const channels = idle.get(url.origin);
      const channel = channels?.takeWarm();
      return channels && channel && connectionOn(channel, url, channels);
    },
    close() {
      isClosed = true;
      for (const channels of idle.values()) channels.close();
    },
  };
}

/** How sockets are opened. */
function opener(options: NodeHttpOptions): (url: URL) => Promise<Socket> {
  // Made once, because reading the authorities takes longer than a handshake.
  let secureContext: SecureContext | undefined;
  return async (url) => {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    const target = { host, port, ...(options.lookup && { lookup: options.lookup }) };
    if (url.protocol === 'http:') return connectTcp({ ...target, noDelay: true });
    const tls = await import('node:tls');
    secureContext ??= tls.createSecureContext({
      minVersion: 'TLSv1.2',
      ...(options.ca && { ca: [...tls.getCACertificates('default'), ...options.ca] }),
    });
    const socket = tls.connect({
      ...target,
      secureContext,
      // Whatever the environment says.
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
      // RFC 6066 forbids addresses here.
      ...(!/^[\d.]+$|:/.test(host) && { servername: host }),
    });
    return socket.setNoDelay(true);
  };
}

/** One exchange on an open channel. */
function connectionOn(channel: Channel, url: URL, idle: IdleChannels): HttpConnection {
  let isUsed = false;
  return {
    // Async, so that misuse rejects as every other failure does.
    async send(request, options) {
      if (isUsed) throw new TypeError('a connection is good for one exchange');
      isUsed = true;
      // What ended it meanwhile is heard before anything is at stake, not after.
      await allHeard();
      if (!channel.isOpen) throw new HttpConnectError('the connection closed before it was used');
      if (options.signal?.aborted === true) {
        channel.destroy();
        throw new HttpConnectError('the caller gave up before anything was sent');
      }
      try {
        const answer = await channel.send(url, request, options);
        idle.put(channel);
        return answer;
      } catch (error) {
        if (error instanceof HttpExchangeError && error.failure === 'reset') idle.distrust();
        // A request that cannot be written leaves its connection open.
        channel.destroy();
        throw error;
      }
    },
    close() {
      if (!isUsed) idle.giveUp(channel);
      isUsed = true;
    },
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
  const { code, message } = error;
  return code === undefined || message.includes(code) ? message : `${code}, ${message}`;
}
