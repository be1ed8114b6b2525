import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigurationError } from '../errors.ts';
import type { DaemonSettings } from '../settings.ts';
import type { Application, Origin } from './application.ts';
import { tcpHosts } from './http/hosts.ts';
import { createListener, type Listener, type TlsMaterial } from './http/listener.ts';
import { checkNames, listenOnTcp, readAddress, type TcpAddress } from './tcp.ts';
import { readMaterial, readTls } from './tls-material.ts';

/*
 * Where a daemon listens for TCP: at the address of its settings, or, where they name none, at a port for browsers that opens when one is needed.
 */

interface TcpPart {
  readonly listeners: readonly Listener[];
  readonly address: TcpAddress;
  readonly port: number;
  readonly isSecure: boolean;
  origin: Origin;
}

/** The TCP ports of a daemon. */
export class Ports {
  readonly #answer: Application;
  #tcp: TcpPart | undefined;
  /** The port for browsers, where none was asked for: opened with the first link. */
  #door: Promise<TcpPart> | undefined;

  /** Nothing listens yet. @param answer - answers each request. */
  constructor(answer: Application) {
    this.#answer = answer;
  }

  /** Address that was asked for, with its port; undefined when there is none. */
  get address(): string | undefined {
    return this.#tcp === undefined ? undefined : addressOf(this.#tcp);
  }

  /** Whether what was asked for speaks TLS; undefined when nothing was. */
  get isSecure(): boolean | undefined {
    return this.#tcp?.isSecure;
  }

  /** Listens where the settings say, if they do. @throws as {@link readTls}, {@link listenOnTcp} and {@link checkNames} */
  async open(settings: DaemonSettings): Promise<void> {
    const { listen } = settings;
    if (listen !== undefined) this.#tcp = await this.#listenOn(readAddress(listen), settings);
  }

  /**
   * Takes over certificate and names. The port that serves goes on with what is new, even if there will be another after a restart.
   *
   * @throws as {@link readTls} and {@link checkNames}; then all is as before.
   */
  async reread(settings: DaemonSettings): Promise<Reread> {
    const { listen } = settings;
    const material = await (listen === undefined
      ? readMaterial(settings)
      : readTls(settings, readAddress(listen)));
    const part = this.#tcp;
    if (part !== undefined) checkNames(part.address, part.port, settings);
    return {
      isSecure: material !== undefined,
      takeOver: () => {
        if (part !== undefined) renew(part, settings, material);
      },
    };
  }

  /** Where TCP was asked for, browsers come in there; otherwise on a port of this machine that opens with the first link. */
  async openDoor(settings: DaemonSettings): Promise<string> {
    if (this.#tcp !== undefined) return publicAddressOf(this.#tcp, settings);
    this.#door ??= this.#listenOn({ host: '127.0.0.1', port: 0 }, {});
    try {
      return addressOf(await this.#door);
    } catch (error) {
      this.#door = undefined;
      throw error;
    }
  }

  /**
   * Origin at which people who consent reach this daemon. A redirect URI is registered before, so it is none that a port of chance could be part of.
   *
   * @throws {@link ConfigurationError} `ERR_CONFIGURATION` when there is none.
   */
  consentOrigin(settings: DaemonSettings): string {
    const { publicUrl } = settings;
    if (this.#tcp === undefined)
      throw new ConfigurationError(
        'ERR_CONFIGURATION',
        'no browser can reach this daemon: daemon.listen is missing in its settings; set it, such as 127.0.0.1:7343, ' +
          'and daemon.publicUrl for people at other machines, and start it again',
      );
    if (publicUrl !== undefined) return new URL(publicUrl).origin;
    return publicAddressOf(this.#tcp, settings);
  }

  /** All that listen, the door among them when it is open. */
  async listeners(): Promise<readonly Listener[]> {
    const door = await this.#door?.catch(() => undefined);
    return [this.#tcp, door].flatMap((part) => part?.listeners ?? []);
  }

  async #listenOn(address: TcpAddress, settings: DaemonSettings): Promise<TcpPart> {
    const material = await readTls(settings, address);
    const opened: { part?: TcpPart } = {};
    const receive = (request: IncomingMessage, response: ServerResponse): void => {
      const { part } = opened;
      if (part === undefined) response.destroy();
      else void this.#answer(request, response, part.origin);
    };
    const { listeners, port } = await listenOnTcp(() => createListener(receive, material), address);
    try {
      checkNames(address, port, settings);
    } catch (error) {
      await Promise.all(listeners.map((listener) => listener.close(AbortSignal.abort())));
      throw error;
    }
    const place = { address, port, isSecure: material !== undefined };
    const part = { ...place, listeners, origin: originOf(place, settings) };
    opened.part = part;
    return part;
  }
}

/** What a port is to take over. */
export interface Reread {
  /** Whether there would be TLS after a restart. */
  readonly isSecure: boolean;
  /** Takes it over; cannot fail. */
  takeOver(): void;
}

function renew(part: TcpPart, settings: DaemonSettings, material: TlsMaterial | undefined): void {
  const { listeners, isSecure } = part;
  if (material !== undefined && isSecure)
    for (const listener of listeners) listener.useTls(material);
  part.origin = originOf(part, settings);
}

type Place = Pick<TcpPart, 'address' | 'port' | 'isSecure'>;

function originOf({ address, port, isSecure }: Place, settings: DaemonSettings): Origin {
  const { hosts = [], publicUrl } = settings;
  return {
    hosts: tcpHosts({ host: address.host, port, isSecure }, hosts, publicUrl),
    isOwners: false,
  };
}

function addressOf({ address, port, isSecure }: Place): string {
  return `${isSecure ? 'https' : 'http'}://${address.host}:${String(port)}`;
}

/** By the first name that was configured; an address that stands for all of the machine's is none that a browser can open. */
function publicAddressOf(part: Place, { hosts = [] }: DaemonSettings): string {
  const [name] = hosts;
  if (name !== undefined) return `${part.isSecure ? 'https' : 'http'}://${name}`;
  const { host } = part.address;
  const isAny = host === '0.0.0.0' || host === '[::]';
  return addressOf(isAny ? { ...part, address: { ...part.address, host: '127.0.0.1' } } : part);
}
