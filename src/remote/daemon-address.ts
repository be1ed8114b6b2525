import type { Secret } from '../secret.ts';
import { checkSocket } from '../system/ownership.ts';

/** Where a daemon is. */
export type DaemonAddress =
  | { readonly socket: string }
  | {
      readonly url: URL;
      readonly key: Secret;
      /** Authorities trusted for its certificate besides the system's, PEM. */
      readonly ca: readonly string[] | undefined;
    };

/** A daemon's address, for messages. */
export function placeOf(address: DaemonAddress): string {
  return 'socket' in address ? address.socket : address.url.origin;
}

/** The field by which a daemon at an address knows who asks; its socket needs none. */
export function authorizationOf(address: DaemonAddress): { readonly authorization?: string } {
  return 'key' in address ? { authorization: `Bearer ${address.key.reveal()}` } : {};
}

/**
 * Checks whose a socket is, folder and socket, as the daemon does at its end. To be done before each connection.
 *
 * @throws {@link StoreError} `ERR_STORE_UNSAFE` when it is not this user's alone.
 */
export async function checkAddress(address: DaemonAddress): Promise<void> {
  if ('socket' in address) await checkSocket(address.socket);
}
