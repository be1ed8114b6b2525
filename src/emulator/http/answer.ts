/** How the body leaves: whole, one byte at a time, cut in the middle, or not at all. */
export type Delivery =
  | { readonly how: 'whole' | 'half' | 'cut' | 'hang' }
  | { readonly how: 'slow'; readonly msPerByte: number };

/** What the emulator is going to send. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
  /** Whole when absent. */
  readonly delivery?: Delivery;
}

/** An answer in JSON. */
export function json(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

/** A page. */
export function html(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'Content-Type': 'text/html; charset=utf-8', ...headers }, body };
}

/** An answer in plain text. */
export function text(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers }, body };
}

/** Sends the browser elsewhere. */
export function redirect(location: string): Answer {
  return { status: 302, headers: { Location: location, 'Cache-Control': 'no-store' }, body: '' };
}

/** No answer at all: the connection is closed, or left hanging. */
export function silence(how: 'cut' | 'hang'): Answer {
  return { status: 0, headers: {}, body: '', delivery: { how } };
}
