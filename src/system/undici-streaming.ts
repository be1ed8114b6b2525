import { sabotaged } from '#failpoints';
import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Agent, Pool } from 'undici';
import { mayResolveTo } from './addresses.ts';
import { StreamingError, type Streaming, type StreamingFailure } from './streaming.ts';
import { isUntrusted, tlsTrust } from './tls-trust.ts';

/** Options of {@link undiciStreaming}; all optional. */
export interface UndiciStreamingOptions {
  /** Certificates of further authorities, PEM; those of the machine stay trusted. */
  readonly ca?: readonly string[] | undefined;
  /** Resolves host names; for tests. */
  readonly lookup?: LookupFunction | undefined;
  /** How long the head of an answer may take once the request has left; five minutes by default. */
  readonly headTimeoutMs?: number | undefined;
  /** Lets names lead to private addresses, for hosts that the operator alone has chosen. */
  readonly isPrivateAllowed?: boolean | undefined;
}

const HEAD_TIMEOUT_MS = 300_000;
const CONNECT_TIMEOUT_MS = 15_000;

/**
 * HTTP/1.1 over the connections of undici: TLS 1.2 or newer, certificates checked, no proxy, no cookie, no redirect, nothing resent. The address
 * that a host's name leads to is looked at where it is connected to, so that it cannot change in between. The library is loaded at the first
 * request.
 */
export function undiciStreaming(options: UndiciStreamingOptions = {}): Streaming {
  let agent: Promise<Agent> | undefined;
  return {
    async request({ origin, path, method, headers, body, signal }) {
      agent ??= makeAgent(options);
      const connections = await agent;
      try {
        const answer = await connections.request({
          origin,
          path,
          method,
          headers,
          body: body ?? null,
          signal: signal ?? null,
          responseHeaders: 'raw',
        });
        // The type knows of no raw form.
        const raw = answer.headers as unknown as readonly string[];
        const discard = (): Promise<void> => answer.body.dump().then(nothing, nothing);
        const { statusCode: status, body: incoming } = answer;
        return { status, headers: raw, body: incoming, failureOf, discard };
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        throw failureOf(error);
      }
    },
    async close() {
      const made = await agent;
      await made?.destroy();
    },
  };
}

async function makeAgent(options: UndiciStreamingOptions): Promise<Agent> {
  const [{ Agent, Pool }, trust] = await Promise.all([import('undici'), tlsTrust(options.ca)]);
  const {
    lookup = systemLookup,
    headTimeoutMs = HEAD_TIMEOUT_MS,
    isPrivateAllowed = false,
  } = options;
  return new Agent({
    allowH2: false,
    headersTimeout: headTimeoutMs,
    // A stream may be silent for as long as it likes; whoever reads it decides when that is enough.
    bodyTimeout: 0,
    factory: (origin, common: Pool.Options) => {
      const { hostname } = new URL(origin);
      const connect = {
        ...trust,
        timeout: CONNECT_TIMEOUT_MS,
        keepAlive: true,
        lookup: isPrivateAllowed ? lookup : guarded(hostname, lookup),
      };
      return new Pool(origin, { ...common, connect });
    },
  });
}

/** All addresses of a name must be good: whoever mixes in another one wants it to be tried. */
function guarded(host: string, lookup: LookupFunction): LookupFunction {
  return (name, options, callback) => {
    lookup(name, options, (error, found, family) => {
      // With an error, there are no addresses, whatever the type says.
      if (error !== null) {
        callback(error, [], 0);
        return;
      }
      const addresses = typeof found === 'string' ? [found] : found.map((one) => one.address);
      const isForbidden = !addresses.every((one) => mayResolveTo(host, one));
      if (isForbidden && !sabotaged('private-address'))
        callback(new ForbiddenAddressError(), [], 0);
      else callback(null, found, family);
    });
  };
}

class ForbiddenAddressError extends Error {
  readonly code = 'EFORBIDDENADDRESS';
}

const FAILURES: Readonly<Record<string, StreamingFailure>> = {
  UND_ERR_INVALID_ARG: 'unsendable',
  UND_ERR_NOT_SUPPORTED: 'unsendable',
  EFORBIDDENADDRESS: 'forbidden',
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'unreachable',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_SOCKET: 'broken',
  ECONNRESET: 'broken',
  EPIPE: 'broken',
};

/**
 * Faults of a handshake of TLS; others come at any time. The first handshake comes before anything is sent. A server of TLS 1.2 may ask for another
 * once it has the request. Where that fails it ends the connection, as Node does, which counts as broken; an alert in its place could not be told
 * from one of the first.
 */
const OF_HANDSHAKES =
  /^ERR_TLS_|^ERR_SSL_\S*(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|HANDSHAKE_FAILURE)$/;

/** What an error of the library or of the system means, for requests of ours as well as for those of the platform's `fetch`. */
export function failureOf(error: unknown): StreamingError {
  const { code, name: kind } = error as { readonly code?: unknown; readonly name?: unknown };
  // The parser names its code only sometimes.
  const unnamed = kind === 'HTTPParserError' ? 'HPE_INVALID' : 'fault';
  const name = typeof code === 'string' ? code : unnamed;
  const isParser = name.startsWith('HPE_') || name.startsWith('UND_ERR_');
  const isUnsent = isUntrusted(name) || OF_HANDSHAKES.test(name);
  const failure = FAILURES[name] ?? (isParser ? 'invalid' : isUnsent ? 'unreachable' : 'broken');
  return new StreamingError(failure, name);
}

function nothing(): void {}
