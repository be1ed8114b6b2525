import { createHash, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../secret.ts';
import type { AccessKey, Policy } from '../../store/access-store.ts';
import type { Random } from '../../system/random.ts';

/*
 * A key as its holder has it: `evk_`, eight bytes that name it, and 32 that nobody guesses. The store has the digest of the latter, which needs
 * no salt and no slow hash because it is of 256 random bits.
 */

const KEY = /^evk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** What a key is made for. */
export interface NewKey {
  /** Whom. */
  readonly name: string;
  /** What it is good for. */
  readonly policy: Policy;
  /** The instant. */
  readonly now: number;
  /** From when on it is refused; undefined: never by itself. */
  readonly expiresAt: number | undefined;
}

/** Makes a key: what its holder gets, and what the store keeps. */
export function createKey(
  random: Random,
  { name, policy, now, expiresAt }: NewKey,
): { readonly secret: Secret; readonly key: AccessKey } {
  const id = Buffer.from(random.bytes(8)).toString('hex');
  const secret = Buffer.from(random.bytes(32)).toString('base64url');
  const digest = digestOf(secret);
  return {
    secret: new Secret(`evk_${id}_${secret}`),
    key: { id, name, digest, policy, createdAt: now, expiresAt, revokedAt: undefined },
  };
}

/** A key as somebody presents it. */
export interface PresentedKey {
  /** The part that names it. */
  readonly id: string;
  /** The part that proves it. */
  readonly secret: Secret;
}

/** Takes a key apart; undefined when it is none. */
export function readKey(text: string): PresentedKey | undefined {
  const [, id, secret] = KEY.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret: new Secret(secret) };
}

/** Stands in for a key that is not there, so that an unknown id takes as long to refuse as a wrong secret. */
const NOBODY = Buffer.alloc(32);

/** Whether what was presented is the key that the store knows. How long that takes tells nothing. */
export function isSameKey(presented: PresentedKey, known: AccessKey | undefined): boolean {
  const digest = known === undefined ? NOBODY : known.digest;
  return timingSafeEqual(digestOf(presented.secret.reveal()), digest) && known !== undefined;
}

function digestOf(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

/** Why a key is good no more, in words; undefined while it is. */
export function whyEnded(
  { revokedAt, expiresAt }: Pick<AccessKey, 'revokedAt' | 'expiresAt'>,
  now: number,
): string | undefined {
  if (revokedAt !== undefined) return 'this key is revoked';
  return expiresAt !== undefined && expiresAt <= now ? 'this key has expired' : undefined;
}
