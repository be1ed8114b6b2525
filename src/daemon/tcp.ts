import { sabotaged } from '#failpoints';
import type { AddressInfo } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigurationError } from '../errors.ts';
import type { DaemonSettings } from '../settings.ts';
import { errnoOf } from '../system/file-errors.ts';
import { readPrivateFile, readSystemFile } from '../system/files.ts';
import { tcpHosts, type Hosts } from './http/hosts.ts';
import type { Listener, TlsMaterial } from './http/listener.ts';
import { isLoopback } from '../loopback.ts';

/*
 * TCP, where it was asked for: loopback, or with TLS.
 */

/** Where to listen. */
export interface TcpAddress {
  /** As it stands in an address: IPv6 in brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** Takes an address and port apart. @throws {@link ConfigurationError} `ERR_CONFIGURATION` when it is none. */
export function readAddress(listen: string): TcpAddress {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(listen) ?? [];
  if (host === undefined || Number(port) > 65_535)
    throw wrong(`daemon.listen ${listen} is no address and port, such as 127.0.0.1:7343`);
  return { host, port: Number(port) };
}

/**
 * Reads certificate and key; undefined where none are named.
 *
 * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when one is missing, none in PEM, or does not fit the other, or TLS is missing but must not be; {@link StoreError}
 *   `ERR_STORE_UNSAFE` when others can read the key.
 */
export async function readTls(
  settings: DaemonSettings,
  { host }: TcpAddress,
): Promise<TlsMaterial | undefined> {
  const material = await readMaterial(settings);
  if (material !== undefined || isLoopback(host)) return material;
  throw wrong(
    `daemon.listen ${host} can be reached by others, so TLS is needed; give daemon.tlsCertificateFile and daemon.tlsKeyFile, or listen on 127.0.0.1`,
  );
}

/** As {@link readTls}, wherever it is to listen. */
export async function readMaterial(settings: DaemonSettings): Promise<TlsMaterial | undefined> {
  const { tlsCertificateFile: certFile, tlsKeyFile: keyFile } = settings;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined)
    throw wrong('daemon.tlsCertificateFile and daemon.tlsKeyFile go together; give both');
  const [cert, key] = [await readSystemFile(certFile), await readPrivateFile(keyFile)];
  if (cert === undefined) throw wrong(`daemon.tlsCertificateFile ${certFile} cannot be read`);
  if (key === undefined) throw wrong(`daemon.tlsKeyFile ${keyFile} is not there`);
  const material = { cert: Buffer.from(cert), key: Buffer.from(key) };
  checkFit(material, certFile, keyFile);
  return material;
}

/** Node would say so when it listens, as a fault that names nothing. */
function checkFit(
  { cert, key }: { readonly cert: Buffer; readonly key: Buffer },
  certFile: string,
  keyFile: string,
): void {
  const fault = (options: SecureContextOptions): string | undefined => {
    try {
      createSecureContext(options);
      return undefined;
    } catch (error) {
      return errnoOf(error) ?? 'unknown error';
    }
  };
  const ofCert = fault({ cert });
  if (ofCert !== undefined)
    throw wrong(
      `daemon.tlsCertificateFile ${certFile} holds no certificate in PEM that can be used (${ofCert})`,
    );
  const ofKey = fault({ key });
  if (ofKey !== undefined)
    throw wrong(
      `daemon.tlsKeyFile ${keyFile} holds no key in PEM that can be used, without a passphrase (${ofKey})`,
    );
  if (fault({ cert, key }) !== undefined)
    throw wrong(
      `daemon.tlsKeyFile ${keyFile} is not the key of daemon.tlsCertificateFile ${certFile}, whose first certificate must be the server's`,
    );
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

function bind({ server }: Listener, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function isFamilyMissing(cause: unknown): boolean {
  const code = errnoOf(cause);
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function unbound(host: string, port: number, cause: unknown): ConfigurationError {
  return wrong(`cannot listen on ${host}:${String(port)} (${errnoOf(cause) ?? 'unknown error'})`);
}

/** Under which names a listening server may be called. */
export function hostsOf(
  { host }: TcpAddress,
  port: number,
  isSecure: boolean,
  settings: DaemonSettings,
): Hosts {
  return tcpHosts({ host, port, isSecure }, settings.hosts ?? [], settings.publicUrl);
}

function wrong(message: string): ConfigurationError {
  return new ConfigurationError('ERR_CONFIGURATION', message);
}
