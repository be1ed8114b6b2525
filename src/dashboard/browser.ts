/*
 * The only file of the dashboard that names the browser's clock, timers, network and memory.
 */

/** Wall time of this browser, epoch milliseconds. */
export function wallTime(): number {
  return Date.now();
}

/** Calls back later. @returns a function that prevents it. */
export function later(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => {
    clearTimeout(timer);
  };
}

/** Calls back again and again. @returns a function that ends it. */
export function every(periodMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, periodMs);
  return () => {
    clearInterval(timer);
  };
}

/** Resolves after a while, or at once when the signal aborts. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = later(delayMs, resolve);
    const end = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}

/** Tells whether somebody can see the page, at once and whenever that changes. @returns a function that ends it. */
export function onSeen(callback: (isSeen: boolean) => void): () => void {
  const tell = (): void => callback(!document.hidden);
  document.addEventListener('visibilitychange', tell);
  tell();
  return () => {
    document.removeEventListener('visibilitychange', tell);
  };
}

let underWay = new AbortController();

/** Sends a request to the server that this page came from. */
export function send(path: string, init: RequestInit): Promise<Response> {
  const { signal: own } = underWay;
  const signal = init.signal instanceof AbortSignal ? AbortSignal.any([own, init.signal]) : own;
  return fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store', signal });
}

/** Gives up every request under way. */
export function giveUp(): void {
  underWay.abort();
  underWay = new AbortController();
}

const PROOF = 'evergrant-proof';

/** The page's half of the session, which browsers keep for this origin alone. */
export const proof = {
  /** What is kept; the empty text when nobody is signed in. */
  read(): string {
    return localStorage.getItem(PROOF) ?? '';
  },
  /** Keeps another. */
  write(value: string): void {
    localStorage.setItem(PROOF, value);
  },
  /** Forgets it. */
  forget(): void {
    localStorage.removeItem(PROOF);
  },
};

/** An instant as programs write it: ISO 8601, UTC. */
export function machineInstant(at: number): string {
  return new Date(at).toISOString();
}

/** How much of an instant is written: `14:05`, `14:05:09`, `3 Jan 2026`, `3 Jan`, or day and time. */
export type InstantStyle = 'time' | 'second' | 'day' | 'date' | 'full';

const FORMATS: Readonly<Record<InstantStyle, Intl.DateTimeFormat>> = {
  time: formatOf({ hour: '2-digit', minute: '2-digit', hour12: false }),
  second: formatOf({ timeStyle: 'medium', hour12: false }),
  day: formatOf({ day: 'numeric', month: 'short', year: 'numeric' }),
  date: formatOf({ day: 'numeric', month: 'short' }),
  full: formatOf({ dateStyle: 'medium', timeStyle: 'medium', hour12: false }),
};

function formatOf(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-GB', options);
}

/** An instant as people write it, in their zone. */
export function instantText(at: number, style: InstantStyle): string {
  return FORMATS[style].format(at);
}

/** Copies a text, for another program to take. @returns whether the browser allowed it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
