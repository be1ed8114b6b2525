import type { Actor, Glance } from './data/types.ts';

/*
 * What states are called, and which is told first.
 */

/** How a connection stands, in the words of this page. */
export type Standing = 'needs' | 'uncertain' | 'failing' | 'well' | 'paused' | 'disconnected';

/** Standings, those that want to be seen first. */
export const STANDINGS: readonly Standing[] = [
  'needs',
  'uncertain',
  'failing',
  'well',
  'paused',
  'disconnected',
];

/** Names of standings. */
export const STANDING_NAMES: Readonly<Record<Standing, string>> = {
  needs: 'Needs somebody',
  uncertain: 'Uncertain',
  failing: 'Trying again',
  well: 'Well',
  paused: 'Paused',
  disconnected: 'Being ended',
};

/** What a sign says: a standing, something told, or something that is near. */
export type Tone = Standing | 'told' | 'soon';

/** How a connection stands. */
export function standingOf(
  row: Pick<Glance, 'state' | 'actor' | 'accessExpiresAt'> & { readonly failedAt: number | null },
  now: number,
): Standing {
  if (row.state === 'paused' || row.state === 'disconnected') return row.state;
  if (row.state === 'uncertain') return 'uncertain';
  if (row.actor !== null && row.actor !== 'nobody') return 'needs';
  if (row.failedAt !== null || row.state === 'attention') return 'failing';
  // The daemon renews it as soon as its server may be asked again.
  return row.accessExpiresAt !== null && row.accessExpiresAt <= now ? 'failing' : 'well';
}

/** Who must act: a heading, and what it means. */
export const ACTORS: Readonly<Record<Actor, { readonly title: string; readonly task: string }>> = {
  owner: { title: 'The person who granted', task: 'must sign in and consent again' },
  operator: {
    title: 'The operator of the client',
    task: 'must repair the registration or the request',
  },
  administrator: { title: 'An administrator', task: 'must allow it at the authorization server' },
  nobody: { title: 'Nobody', task: 'evergrant tries again by itself' },
};

/** Whom a connection waits for; undefined when it is well or was stopped on purpose. */
export function waitsFor(row: Glance, now: number): Actor | undefined {
  const standing = standingOf(row, now);
  if (standing === 'failing') return 'nobody';
  if (standing === 'needs' || standing === 'uncertain') return row.actor ?? 'owner';
  return undefined;
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** Why a connection is not well, in one line. */
export function reasonOf(row: Glance): string {
  return row.reason ?? row.failure ?? 'Its access token has run out.';
}

const STEADY_MS = 10_000;

/** The instant that counts and lists are made for: many rows are not sorted anew each second, and all screens agree. */
export function steady(now: number): number {
  return Math.floor(now / STEADY_MS) * STEADY_MS;
}

/** A duration in its two largest units, such as `1 h 4 min`. */
export function spanText(ms: number): string {
  const rest = Math.max(0, ms);
  if (rest < 1_000) return '0 s';
  const first = UNITS.findIndex(([unit]) => rest >= unit);
  const [size, name] = UNITS[first] ?? UNITS[3];
  const whole = Math.floor(rest / size);
  const below = UNITS[first + 1];
  if (below === undefined || whole >= 10) return `${whole} ${name}`;
  const more = Math.floor((rest - whole * size) / below[0]);
  return more === 0 ? `${whole} ${name}` : `${whole} ${name} ${more} ${below[1]}`;
}

/** An instant as seen from now: `in 4 min`, `2 h ago`. */
export function fromNow(at: number, now: number): string {
  if (Math.abs(at - now) < 1_000) return 'now';
  return at > now ? `in ${spanText(at - now)}` : `${spanText(now - at)} ago`;
}

/** What is left of an access token, in words. */
export function tokenText(accessExpiresAt: number | null, now: number): string {
  if (accessExpiresAt === null) return 'no token';
  return accessExpiresAt > now ? `${spanText(accessExpiresAt - now)} left` : 'run out';
}

/** A number with its noun, such as `1 connection` or `12,000 connections`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
}

const EVENT_NAMES: Readonly<Record<string, string>> = {
  connected: 'Connected',
  imported: 'Imported',
  refreshed: 'Refreshed',
  refresh_failed: 'Refresh failed',
  uncertain: 'Outcome uncertain',
  answer_lost: 'No usable answer',
  client_refused: 'Client refused',
  attention: 'Needs somebody',
  paused: 'Paused',
  resumed: 'Resumed',
  renamed: 'Renamed',
  disconnected: 'Disconnected',
  removed: 'Removed',
  reconnected: 'Connected again',
  notice: 'Notice',
};

/** What an event is called. */
export function eventName(event: string): string {
  const text = EVENT_NAMES[event] ?? event.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What an event is: good, bad, or neither. */
export function eventTone(event: string): Tone {
  if (event === 'notice') return 'told';
  if (event === 'client_refused') return 'needs';
  if (/fail|lost|refused/.test(event)) return 'failing';
  if (event === 'attention') return 'needs';
  if (event === 'uncertain') return 'uncertain';
  if (event === 'paused') return 'paused';
  if (event === 'disconnected') return 'disconnected';
  return 'well';
}
