import { sabotaged } from '#failpoints';
import type { AddressInfo } from 'node:net';
import { ConfigurationError } from '../errors.ts';
import type { DaemonSettings } from '../settings.ts';
import { errnoOf } from '../system/file-errors.ts';
import { listen, type Listener } from './http/listener.ts';

/*
 * An address of TCP, where it was asked for, and all that stands behind its name.
 */

/** Where to listen. */
export interface TcpAddress {
  /** As it stands in an address: IPv6 in brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Takes an address and port apart. @throws {@link ConfigurationError} `ERR_CONFIGURATION` when it is none. */
export function readAddress(text: string): TcpAddress {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw wrong(`daemon.listen ${text} is no address and port, such as 127.0.0.1:7343`);
  return { host, port: Number(port) };
}

/** What listens at an address. */
export interface Listening {
  /** One for each literal address. */
  readonly listeners: readonly Listener[];
  /** The port, the same of all. */
  readonly port: number;
}

const BINDING_ATTEMPTS = 5;

/**
 * Listens. At `localhost` that is the same port of both families: a browser tries `::1` first, and whoever could take that port would read the
 * codes of links. The name is kept in addresses, not made literal, since Entra lets a redirect URI have any port at `localhost` alone.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when it cannot, one family included that this machine has.
 */
export async function listenOnTcp(
  newListener: () => Listener,
  { host, port }: TcpAddress,
): Promise<Listening> {
  const isBoth = host === 'localhost' && !sabotaged('both-families');
  const [first = '', second] = isBoth ? ['127.0.0.1', '::1'] : [literalOf(host)];
  for (let attempt = 1; ; attempt++) {
    const listener = newListener();
    const bound = await bind(listener, first, port).catch((cause: unknown) => {
      throw unbound(host, port, cause);
    });
    if (second === undefined) return { listeners: [listener], port: bound };
    const other = newListener();
    try {
      await bind(other, second, bound);
      return { listeners: [listener, other], port: bound };
    } catch (cause) {
      if (isFamilyMissing(cause)) return { listeners: [listener], port: bound };
      await listener.close(AbortSignal.abort());
      if (port !== 0 || attempt === BINDING_ATTEMPTS) throw unbound(`[${second}]`, bound, cause);
    }
  }
}

/**
 * Checks that nobody else of this machine can stand behind the name by which people are sent to a port.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when the settings name `localhost` and one family of it was left free.
 */
export function checkNames({ host }: TcpAddress, port: number, settings: DaemonSettings): void {
  const { publicUrl, hosts: [name] = [], tlsKeyFile } = settings;
  if (host === 'localhost' || sabotaged('both-families')) return;
  const isNamed = (origin: string | undefined): boolean => {
    const url = URL.parse(origin ?? '');
    return url?.origin === `http://localhost${port === 80 ? '' : `:${String(port)}`}`;
  };
  const isInHosts = tlsKeyFile === undefined && isNamed(name && `http://${name}`);
  if (!isInHosts && !isNamed(publicUrl)) return;
  throw wrong(
    `daemon.${isInHosts ? 'hosts' : 'publicUrl'} names localhost, of which daemon.listen ${host} leaves a part to anybody at this machine; ` +
      `set daemon.listen to localhost:${String(port)} and start again`,
  );
}

function literalOf(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host.replace(/^\[|\]$/g, '');
}

async function bind({ server }: Listener, host: string, port: number): Promise<number> {
  await listen(server, { host, port, exclusive: true });
  return (server.address() as AddressInfo).port;
}

function isFamilyMissing(cause: unknown): boolean {
  const code = errnoOf(cause);
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function unbound(host: string, port: number, cause: unknown): ConfigurationError {
  return wrong(`cannot listen on ${host}:${String(port)} (${errnoOf(cause) ?? 'unknown error'})`);
}

function wrong(message: string): ConfigurationError {
  return new ConfigurationError('ERR_CONFIGURATION', message);
}
