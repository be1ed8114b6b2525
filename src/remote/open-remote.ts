import { sabotaged } from '#failpoints';
import type { Keeper, SecretInput } from '../keeper-api.ts';
import { Secret } from '../secret.ts';
import { wrongArgument } from '../system/arguments.ts';
import { checkAuthorities } from '../system/authorities.ts';
import type { Clock } from '../system/clock.ts';
import { checkSocket } from '../system/ownership.ts';
import type { HomePaths } from '../system/home.ts';
import type { DaemonAddress } from './daemon-address.ts';
import { RemoteKeeper } from './remote-keeper.ts';
import { socketOf } from './socket.ts';
import { Transport } from './transport.ts';
import { isLoopback } from '../loopback.ts';

/** How a daemon is reached. */
export type DaemonOption =
  /** By the socket of the home. */
  | true
  /** By the socket at a path. */
  | { readonly socket: string }
  /** By TCP, with a key that `evergrant key-for` made. */
  | { readonly url: string; readonly key: SecretInput; readonly ca?: readonly string[] };

/**
 * Opens a daemon's keeper. Nothing is sent until something is asked for.
 *
 * @throws {@link ConfigurationError} `ERR_ARGUMENT` for an address that is none; {@link StoreError} `ERR_STORE_UNSAFE` when others can reach
 *   the socket.
 */
export async function openRemote(
  option: DaemonOption,
  paths: HomePaths,
  clock: Clock,
): Promise<Keeper> {
  return new RemoteKeeper(new Transport(await addressOf(option, paths), clock), clock);
}

async function addressOf(option: DaemonOption, paths: HomePaths): Promise<DaemonAddress> {
  checkOption(option);
  if (option === true || 'socket' in option) {
    const socket = option === true ? await socketOf(paths) : option.socket;
    await checkSocket(socket);
    return { socket };
  }
  checkAuthorities(option.ca);
  const url = URL.parse(option.url);
  if (url === null || !isSafe(url)) {
    throw wrongArgument(
      'daemon.url is no https address, nor http of this machine; a key must not be sent in the clear',
    );
  }
  // Behind the name may also stand ::1, at a port that a daemon at 127.0.0.1 left to anybody; in the clear that one would be told the key.
  if (isPlainLocalhost(url)) url.hostname = '127.0.0.1';
  return { url, key: keyOf(option.key), ca: option.ca };
}

/** From JavaScript anything may come. */
function checkOption(option: unknown): void {
  if (option === true) return;
  if (typeof option === 'object' && option !== null) {
    if (!('socket' in option)) return;
    if (typeof option.socket === 'string' && option.socket !== '') return;
  }
  throw wrongArgument('daemon is true, or an object with socket, or one with url and key');
}

/** One that no header field can carry, as when it was read with the newline of its file, would look like a daemon that went away. */
function keyOf(given: unknown): Secret {
  const key = typeof given === 'string' ? new Secret(given) : given;
  if (key instanceof Secret && /^[\x21-\x7e]+$/.test(key.reveal())) return key;
  throw wrongArgument(
    'daemon.key is no key; give what evergrant key-for printed, without the newline at its end',
  );
}

function isPlainLocalhost({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && hostname === 'localhost' && !sabotaged('both-families');
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}
