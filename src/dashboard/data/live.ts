import { giveUp, proof, wallTime } from '../browser.ts';
import { ApiError, call, lines } from './api.ts';
import { change, getState, now } from './state.ts';
import type { Changes, FeedEvent, Glance } from './types.ts';

/*
 * Makes the state what the daemon says: once everything, then what changed.
 */

/** So many of the newest events are shown. */
export const KEPT_EVENTS = 200;

/** Undefined until everything was read. */
let newest: number | undefined;
let isLeaving = false;

/** Id of the newest event that is known. */
export function newestEvent(): number {
  return newest ?? 0;
}

/** The daemon lives, and what is shown is as new as it can be. */
export function heardSomething(): void {
  change({ heardAt: now() });
}

/** Asks for everything at first, and then what changed. @returns whether the daemon told. */
export async function bringUpToDate(): Promise<boolean> {
  if (isLeaving) return false;
  try {
    if (newest === undefined) await readAll();
    else await readChanges(newest);
    return true;
  } catch (error) {
    fail(error);
    return false;
  }
}

/** Signs this browser in by the code of a link, or says why not. */
export async function signIn(code: string): Promise<void> {
  try {
    const given = await call<{ proof: string }>('POST', '/v1/session', { code });
    proof.write(given.proof);
  } catch (error) {
    fail(error);
  }
}

/** Signs this browser out. */
export async function signOut(): Promise<void> {
  // What is under way would be refused, and the refusal told.
  isLeaving = true;
  giveUp();
  try {
    await call('DELETE', '/v1/session');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  proof.forget();
  isLeaving = false;
  signedOut('You are signed out.');
}

interface Head {
  readonly at: number;
  readonly last: number;
}

async function readAll(): Promise<void> {
  const found: Glance[] = [];
  let head: Head | undefined;
  const take = (parts: unknown[]): void => {
    head ??= parts.shift() as Head;
    for (const part of parts as (Glance | { count: number })[])
      if ('name' in part) found.push(part);
    const { phase } = getState();
    const isFirst = phase === 'loading' || phase === 'partial';
    if (isFirst && found.length > 0)
      change({ ...heard(head.at), phase: 'partial', connections: [...found] });
  };
  await lines('/v1/glance', {}, (texts) => take(texts.map((text) => JSON.parse(text) as unknown)));
  newest = head?.last ?? 0;
  change({
    phase: 'live',
    message: undefined,
    connections: found,
    ...heard(head?.at ?? wallTime()),
  });
  await readEvents(newest);
}

/** What happened before the list was read: all that a new page knows of, and what others missed. */
async function readEvents(last: number): Promise<void> {
  const { events } = await call<Changes>(
    'GET',
    `/v1/glance/changes?after=${Math.max(0, last - 100)}`,
  );
  addEvents(events);
}

async function readChanges(after: number): Promise<void> {
  const changes = await call<Changes>('GET', `/v1/glance/changes?after=${after}`);
  if (!changes.isWhole) return await readAll();
  newest = changes.last;
  addEvents(changes.events);
  const { connections, gone } = changes;
  const isChanged = connections.length > 0 || gone.length > 0;
  change({
    phase: 'live',
    message: undefined,
    ...heard(changes.at),
    ...(isChanged && { connections: merge(getState().connections, connections, gone) }),
  });
}

function addEvents(events: readonly FeedEvent[]): void {
  if (events.length === 0) return;
  const known = getState().events;
  const fresh = events.toReversed().filter(({ id }) => id > (known[0]?.id ?? 0));
  change({ events: [...fresh, ...known].slice(0, KEPT_EVENTS) });
}

/** The list with some rows replaced, added or taken out, in order of name as the daemon sorts them. */
export function merge(
  before: readonly Glance[],
  changed: readonly Glance[],
  gone: readonly string[],
): readonly Glance[] {
  const byName = new Map(before.map((one) => [one.name, one]));
  const isNew = changed.some(({ name }) => !byName.has(name));
  for (const one of changed) byName.set(one.name, one);
  for (const name of gone) byName.delete(name);
  const rows = [...byName.values()];
  return isNew ? rows.sort((a, b) => (a.name < b.name ? -1 : 1)) : rows;
}

function heard(at: number): { readonly skewMs: number; readonly heardAt: number } {
  return { skewMs: at - wallTime(), heardAt: at };
}

function fail(error: unknown): void {
  if (isLeaving) return;
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 401 || error.status === 403) signedOut(error.message);
  else
    change({
      phase: getState().phase === 'loading' ? 'loading' : 'offline',
      message: error.message,
    });
}

function signedOut(message: string): void {
  // The stream as well.
  giveUp();
  change({ phase: 'signed-out', connections: [], events: [], message });
}
