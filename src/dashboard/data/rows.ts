import { reasonOf, standingOf, STANDINGS, waitsFor, type Standing } from '../words.ts';
import type { Actor, Glance } from './types.ts';

/** Columns that a list can be sorted by. */
export type SortKey = 'standing' | 'name' | 'provider' | 'token' | 'next';

/** Which rows are wanted, and in which order. */
export interface Wanted {
  /** A part of the name, the account, the client, or of why it is not well, whatever its case. */
  readonly search: string;
  /** How they stand; undefined: all. */
  readonly standing: Standing | undefined;
  /** Whom they wait for; undefined: all, those that wait for nobody too. */
  readonly actor: Actor | undefined;
  /** Name of the provider's profile; undefined: all. */
  readonly provider: string | undefined;
  /** What they are sorted by. */
  readonly sort: SortKey;
  /** Largest or last first. */
  readonly isDown: boolean;
}

const LAST = Number.MAX_VALUE;

const KEYS: Readonly<Record<SortKey, (row: Glance, now: number) => number | string>> = {
  standing: (row, now) => STANDINGS.indexOf(standingOf(row, now)),
  name: (row) => row.name,
  provider: (row) => row.provider,
  token: (row) => row.accessExpiresAt ?? 0,
  next: (row) => row.nextRefreshAt ?? LAST,
};

/** The rows that are wanted at an instant, in order; those that are equal stay in order of name. */
export function pick(all: readonly Glance[], wanted: Wanted, now: number): readonly Glance[] {
  const search = wanted.search.trim().toLowerCase();
  const found = all.filter(
    (row) =>
      (wanted.standing === undefined || standingOf(row, now) === wanted.standing) &&
      (wanted.actor === undefined || waitsFor(row, now) === wanted.actor) &&
      (wanted.provider === undefined || row.provider === wanted.provider) &&
      (search === '' || textOf(row, now).includes(search)),
  );
  const key = KEYS[wanted.sort];
  const sign = wanted.isDown ? -1 : 1;
  const keyed = found.map((row) => ({ row, key: key(row, now) }));
  keyed.sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0));
  return keyed.map(({ row }) => row);
}

function textOf(row: Glance, now: number): string {
  const why = waitsFor(row, now) === undefined ? '' : reasonOf(row);
  return `${row.name}\n${row.account ?? ''}\n${row.clientId}\n${why}`.toLowerCase();
}
