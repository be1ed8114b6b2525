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

/** Sends a request to the server that this page came from. */
export function send(path: string, init: RequestInit): Promise<Response> {
  return fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
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

/** An instant as people write it, in their language and zone. */
export function instantText(at: number, style: 'time' | 'day' | 'full'): string {
  const options: Intl.DateTimeFormatOptions =
    style === 'time'
      ? { hour: '2-digit', minute: '2-digit', hour12: false }
      : style === 'day'
        ? { day: 'numeric', month: 'short', year: 'numeric' }
        : { dateStyle: 'medium', timeStyle: 'medium', hour12: false };
  return new Intl.DateTimeFormat('en-GB', options).format(new Date(at));
}
