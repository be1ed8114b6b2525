import { createServer, request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { listenOnLoopback, type LoopbackListener } from '../../../src/authorize/loopback.ts';
import { planRedirect } from '../../../src/authorize/redirect-uri.ts';

let listener: LoopbackListener | undefined;
let asked: string[] = [];

afterEach(async () => {
  await listener?.[Symbol.asyncDispose]();
  listener = undefined;
  asked = [];
});

async function listen(redirectUri?: string): Promise<URL> {
  listener = await listenOnLoopback(planRedirect('127.0.0.1', { redirectUri }), (parameters) => {
    asked.push(parameters.toString());
    return parameters.get('state') === 'right';
  });
  return new URL(listener.redirectUri);
}

interface Page {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function visit(url: URL, options: RequestOptions & { readonly body?: string } = {}): Promise<Page> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    outgoing.on('error', reject).end(options.body);
  });
}

function at(base: URL, relative: string): URL {
  return new URL(relative, base);
}

describe('the loopback listener', () => {
  it('answers the awaited redirect with a constant page and then is gone', async () => {
    const base = await listen();
    const page = await visit(at(base, '/?code=secret-code&state=right'));
    expect(page.status).toBe(200);
    expect(page.text).not.toContain('secret-code');
    await expect(visit(at(base, '/?code=secret-code&state=right'))).rejects.toThrow('ECONNREFUSED');
    expect(asked).toHaveLength(1);
  });

  it('shows a page that loads nothing, tells no other site and is kept nowhere', async () => {
    const base = await listen();
    for (const query of ['/?state=wrong', '/?code=1&state=right']) {
      const { headers, text } = await visit(at(base, query));
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(text).not.toMatch(/<script|<img|<link|href|src=/);
    }
  });

  it('goes on waiting after redirects that are not the awaited one', async () => {
    const base = await listen();
    const refused = await visit(at(base, '/?code=1&state=wrong'));
    expect(refused.status).toBe(400);
    expect(refused.text).not.toContain('wrong');
    expect((await visit(at(base, '/'))).status).toBe(400);
    expect((await visit(at(base, '/?code=1&state=right'))).status).toBe(200);
  });

  it.each([
    [
      'a post from a foreign page',
      '/?code=1&state=right',
      { method: 'POST', body: 'state=right' },
      405,
    ],
    ['HEAD', '/?code=1&state=right', { method: 'HEAD' }, 405],
    ['OPTIONS', '/?code=1&state=right', { method: 'OPTIONS' }, 405],
    ['another path', '/other?code=1&state=right', {}, 404],
    ['the icon', '/favicon.ico', {}, 404],
    ['an absolute form', '/', { path: 'http://evil.example/?code=1&state=right' }, 404],
    ['a rebound name', '/?code=1&state=right', { headers: { host: 'evil.example' } }, 421],
    ['a host without the port', '/?code=1&state=right', { headers: { host: '127.0.0.1' } }, 421],
  ])('turns away %s without looking at it', async (_name, path, options, status) => {
    const base = await listen();
    expect((await visit(at(base, path), options)).status).toBe(status);
    expect(asked).toEqual([]);
  });

  it('takes the registered path alone', async () => {
    const base = await listen('http://127.0.0.1/callback');
    expect(base.pathname).toBe('/callback');
    expect((await visit(at(base, '/?state=right'))).status).toBe(404);
    expect((await visit(at(base, '/Callback?state=right'))).status).toBe(404);
    expect((await visit(at(base, '/callback?state=right'))).status).toBe(200);
  });

  it('turns away oversized requests', async () => {
    const base = await listen();
    expect((await visit(at(base, `/?state=${'x'.repeat(20_000)}`))).status).toBe(431);
    expect((await visit(at(base, '/?state=right'))).status).toBe(200);
  });

  it('ends with its attempt even while somebody holds a connection open', async () => {
    const base = await listen();
    const socket = connect(Number(base.port), '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    await listener?.[Symbol.asyncDispose]();
    await closed;
  });

  it('accepts one of many simultaneous hits', async () => {
    const base = await listen();
    const pages = await Promise.allSettled(
      Array.from({ length: 20 }, () => visit(at(base, '/?code=1&state=right'))),
    );
    const served = pages.filter((page) => page.status === 'fulfilled' && page.value.status === 200);
    expect(served).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it('listens on both address families behind localhost', async () => {
    const base = await listen('http://localhost');
    const page = await visit(new URL(`http://127.0.0.1:${base.port}/?state=right`), {
      headers: { host: base.host },
    });
    expect(page.status).toBe(200);
  });

  it('says so when the port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(listen(`http://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(String(port)),
    });
    other.close();
  });

  it('does not share localhost with a stranger on the other address family', async (context) => {
    const other = createServer();
    const bound = await new Promise<boolean>((resolve) => {
      other.once('error', () => resolve(false)).listen(0, '::1', () => resolve(true));
    });
    if (!bound) return context.skip('not run: this machine has no IPv6 loopback');
    const { port } = other.address() as AddressInfo;
    await expect(listen(`http://localhost:${port}`)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    other.close();
  });
});
