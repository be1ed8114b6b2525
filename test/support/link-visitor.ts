import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Person } from './browser.ts';

/*
 * A browser for links to consent: it keeps cookies as they are meant, sends what browsers send along, and fills in the emulator's form.
 */

/** A page that a visitor sees. */
export interface Seen {
  readonly status: number;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly html: string;
  /** The heading. */
  readonly title: string;
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Browsers keep them by host; the port does not count. */
  readonly host: string;
}

/** How a request comes to be. */
export interface Going {
  readonly method?: 'GET' | 'POST' | 'HEAD';
  readonly body?: string;
  /** Where the page is that sends it; undefined: the person typed it. */
  readonly from?: string | undefined;
  /** Stops where another origin begins. */
  readonly stay?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One browser with its cookies. */
export class LinkVisitor {
  readonly #cookies: Cookie[] = [];
  /** `name=value` of all cookies held. */
  get cookies(): readonly string[] {
    return this.#cookies.map(({ name, value }) => `${name}=${value}`);
  }

  /** Opens an address and follows redirects. */
  async go(address: string, going: Going = {}): Promise<Seen> {
    let { method = 'GET', body } = going;
    let url = address;
    let site = siteOf(going.from, url);
    for (let step = 0; step < 10; step++) {
      const response = await this.#send(url, method, body, site, going);
      const html = await text(response);
      const { statusCode: status = 0, headers } = response;
      const { location } = headers;
      if (location === undefined) {
        const [, title = ''] = /<h1>(.*?)<\/h1>/.exec(html) ?? [];
        return { status, url, headers, html, title };
      }
      const next = new URL(location, url).href;
      if (going.stay === true && new URL(next).origin !== new URL(address).origin)
        return { status, url: next, headers, html, title: '' };
      if (siteOf(url, next) === 'cross-site') site = 'cross-site';
      [url, method, body] = [next, 'GET', undefined];
    }
    throw new Error('this leads nowhere');
  }

  /** Presses the button of a page of the daemon. @returns the address of the sign-in, or the page that came instead. */
  async press(page: Seen): Promise<Seen & { readonly signIn: string | undefined }> {
    const [, action = ''] = /<form method="post" action="([^"]+)">/.exec(page.html) ?? [];
    const to = new URL(unescapeHtml(action), page.url).href;
    const seen = await this.go(to, { method: 'POST', body: '', from: page.url });
    const [, next] = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(seen.html) ?? [];
    return { ...seen, signIn: next === undefined ? undefined : unescapeHtml(next) };
  }

  /** Signs in at the emulator. @returns the page at which the browser ends; `stay` gives the address of the callback, not visited. */
  async signIn(address: string, person: Person = {}, stay = false): Promise<Seen> {
    const page = await this.go(address);
    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(page.html) ?? [];
    const [, name = '', value = ''] =
      /<input type="hidden" name="([^"]+)" value="([^"]+)"/.exec(page.html) ?? [];
    const form = new URLSearchParams({
      [name]: value,
      username: person.username ?? 'demo@perspio.io',
      password: person.password ?? 'demo-password',
      decision: person.decision ?? 'accept',
    });
    const to = new URL(action, page.url).href;
    return this.go(to, { method: 'POST', body: form.toString(), from: page.url, stay });
  }

  async #send(
    url: string,
    method: string,
    body: string | undefined,
    site: string,
    { from, headers }: Going,
  ): Promise<IncomingMessage> {
    const { hostname, pathname } = new URL(url);
    const cookie = this.#cookies
      .filter((one) => one.host === hostname && pathname.startsWith(one.path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const sent = request(url, {
      method,
      agent: false,
      headers: {
        ...(cookie !== '' && { cookie }),
        ...(method === 'POST' && {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': String(Buffer.byteLength(body ?? '')),
          ...(from !== undefined && { origin: new URL(from).origin }),
        }),
        'sec-fetch-site': site,
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        ...headers,
      },
    });
    sent.end(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve).on('error', reject);
    });
    for (const field of response.headers['set-cookie'] ?? []) this.#keep(field, hostname);
    return response;
  }

  #keep(field: string, host: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
    const [, path = '/'] = /; Path=([^;]+)/.exec(field) ?? [];
    const at = this.#cookies.findIndex((one) => one.name === name && one.host === host);
    if (at >= 0) this.#cookies.splice(at, 1);
    this.#cookies.push({ name, value, path, host });
  }
}

function siteOf(from: string | undefined, to: string): string {
  if (from === undefined) return 'none';
  return new URL(from).origin === new URL(to).origin ? 'same-origin' : 'cross-site';
}

/** The text that HTML stands for. */
export function unescapeHtml(html: string): string {
  return html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
