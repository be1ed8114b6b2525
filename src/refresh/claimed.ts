import type { Attempt } from '../connection/claiming.ts';
import type { View } from '../connection/decision.ts';
import type { Rotation } from '../connection/record.ts';
import type { Profile } from '../providers/profile.ts';

/** What an attempt knows of its connection under the claim. */
export interface Claimed {
  /** The attempt. */
  readonly attempt: Attempt;
  /** The rows under the claim. */
  readonly view: View;
  /** Habits of its server. */
  readonly profile: Profile;
  /** What a refresh does to this connection's refresh token. */
  readonly rotation: Rotation;
}
