import { later, onSeen, pause, wallTime } from '../browser.ts';
import { ApiError, lines } from './api.ts';
import { bringUpToDate, heardSomething, newestEvent } from './live.ts';
import { getState } from './state.ts';

/*
 * When the daemon is asked what changed: at first, and when its stream of events says that something happened. The stream is a bell and no more; what
 * it means for the lists is asked for. Nobody who does not look at the page is kept up to date.
 */

/** Where the stream cannot be had, so often is asked instead. */
const FALLBACK_MS = 5_000;
/** The daemon says something every 15 s. A stream that is silent longer is dead, or held back on its way. */
const SILENT_MS = 40_000;
/** So often a stream is begun anew: who looks at the page uses the session, and a session that nobody uses ends. */
const RENEWED_MS = 600_000;
/** The first change is asked for at once, what happens in this time after it together. */
const REST_MS = 2_000;

let bell = new AbortController();
let asking: Promise<boolean> | undefined;
let isResting = false;
let wantsMore = false;

/** Keeps the state as the daemon's as long as somebody looks at the page and is signed in. */
export function watch(): void {
  onSeen((isSeen) => {
    bell.abort();
    if (!isSeen) return;
    bell = new AbortController();
    void follow(bell.signal);
  });
}

/** Asks what changed: now, or together with what else happens soon when it was asked just before. */
export function ring(): void {
  if (isResting) wantsMore = true;
  else void ask();
}

function ask(): Promise<boolean> {
  isResting = true;
  wantsMore = false;
  asking ??= bringUpToDate().finally(() => {
    asking = undefined;
    later(REST_MS, rested);
  });
  return asking;
}

function rested(): void {
  isResting = false;
  // Whoever comes back to the page is told everything then.
  if (wantsMore && !bell.signal.aborted) ring();
}

async function follow(ended: AbortSignal): Promise<void> {
  while (!ended.aborted && getState().phase !== 'signed-out') {
    const begunAt = wallTime();
    if (await ask()) await listen(ended);
    if (wallTime() - begunAt < FALLBACK_MS) await pause(FALLBACK_MS, ended);
  }
}

/** Listens to the stream until it ends, is silent for too long, or is old. */
async function listen(ended: AbortSignal): Promise<void> {
  if (ended.aborted) return;
  const over = new AbortController();
  const end = (): void => over.abort();
  const cancelRenewal = later(RENEWED_MS, end);
  let cancelSilence = later(SILENT_MS, end);
  try {
    const path = `/v1/events?after=${newestEvent()}`;
    await lines(path, { signal: AbortSignal.any([ended, over.signal]) }, (heard) => {
      cancelSilence();
      cancelSilence = later(SILENT_MS, end);
      heardSomething();
      if (heard.some(isNews)) ring();
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  } finally {
    cancelSilence();
    cancelRenewal();
  }
}

/** Each event has an id. Those that are known already were asked for meanwhile. */
function isNews(line: string): boolean {
  return line.startsWith('id:') && Number(line.slice(3)) > newestEvent();
}
