import { Secret } from '../secret.ts';
import type { Leftover } from './decision.ts';
import { leftoverContext, type Sealer } from './secrets.ts';

/**
 * The refresh token of an answer that came too late and was put away; undefined when it holds none.
 *
 * @throws {@link StoreError} as {@link Sealer.open}, when it is damaged.
 */
export function lateRefreshToken(
  sealer: Sealer,
  connectionId: string,
  left: Leftover,
): Secret | undefined {
  // Bytes that nobody could read are no refresh token.
  if (left.kind === 'quarantine') return undefined;
  const plain = sealer.open(left.sealed, leftoverContext(connectionId, left));
  const { refreshToken } = JSON.parse(Buffer.from(plain).toString('utf8')) as {
    readonly refreshToken?: string;
  };
  return refreshToken === undefined ? undefined : new Secret(refreshToken);
}
