import type { LifeKind } from '../connection/record.ts';

/** A record, so that the compiler sees that none is missing. */
const KINDS: Readonly<Record<LifeKind | 'notice', true>> = {
  connected: true,
  reconnected: true,
  refreshed: true,
  recovered: true,
  refresh_failed: true,
  answer_lost: true,
  late_answer: true,
  uncertain: true,
  attention: true,
  client_refused: true,
  paused: true,
  resumed: true,
  renamed: true,
  disconnected: true,
  removed: true,
  copy_accepted: true,
  notice: true,
};

/** Every kind of event that a receiver can be told. */
export const EVENT_KINDS: readonly string[] = Object.keys(KINDS);
