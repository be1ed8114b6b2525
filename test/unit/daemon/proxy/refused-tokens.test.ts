import { once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { AuthorizationRequiredError } from '../../../../src/errors.ts';
import { MOST_KEPT_BYTES } from '../../../../src/daemon/proxy/replay.ts';
import { bodyOf, startApi, type ApiServer } from '../../../support/api-server.ts';
import { startFront, TOKEN } from '../../../support/proxy-front.ts';

const INVALID = { 'www-authenticate': 'Bearer error="invalid_token"' };
const FIRST = `Bearer ${TOKEN}1`;

function refuse(response: ServerResponse, headers: Record<string, string> = INVALID): void {
  response.writeHead(401, headers).end('refused');
}

/** Refuses the first token once it has read all, and repeats the body for any other. */
function picky(): Promise<ApiServer> {
  return startApi(async (incoming, response) => {
    const body = await bodyOf(incoming);
    if (incoming.headers.authorization === FIRST) refuse(response);
    else response.end(body);
  });
}

function post(url: string, body: RequestInit['body'] | null, headers = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
}

/** A body of unknown length. */
function stream(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const size = Math.min(left, 65_536);
      left -= size;
      controller.enqueue(new Uint8Array(size).fill(97));
    },
  });
}

describe('a request whose token the API refuses', () => {
  it.each([
    ['no body', null],
    ['a short body', 'hello'],
    ['a body of 1 MiB', 'a'.repeat(MOST_KEPT_BYTES)],
    ['a body in chunks', stream(MOST_KEPT_BYTES)],
  ])('with %s is repeated once with a newer one', async (_what, body) => {
    await using api = await picky();
    await using front = await startFront({ origins: [api.origin] });
    const response = await post(`${front.url}/a`, body);
    expect(response.status).toBe(200);
    const length = typeof body === 'string' ? body.length : body === null ? 0 : MOST_KEPT_BYTES;
    expect((await response.text()).length).toBe(length);
    expect(api.seen.map(({ headers }) => headers.authorization)).toEqual([
      FIRST,
      `Bearer ${TOKEN}2`,
    ]);
    expect(front.refreshes).toBe(1);
  });

  it.each([
    ['a body of more than 1 MiB', 'a'.repeat(MOST_KEPT_BYTES + 1)],
    ['more than 1 MiB in chunks', stream(MOST_KEPT_BYTES + 1)],
  ])('with %s gets its refusal, and the refresh is made', async (_what, body) => {
    await using api = await picky();
    await using front = await startFront({ origins: [api.origin] });
    const response = await post(`${front.url}/a`, body);
    expect([response.status, await response.text()]).toEqual([401, 'refused']);
    expect(response.headers.get('www-authenticate')).toBe(INVALID['www-authenticate']);
    expect(api.seen).toHaveLength(1);
    expect(front.refreshes).toBe(1);
    expect((await post(`${front.url}/a`, 'b')).status).toBe(200);
    expect(front.refreshes).toBe(1);
  });

  it('before its body has come is repeated with what came and what is still to come', async () => {
    await using api = await startApi(async (incoming, response) => {
      if (incoming.headers.authorization === FIRST) refuse(response);
      else response.end(await bodyOf(incoming));
    });
    await using front = await startFront({ origins: [api.origin] });
    const upload = request(`${front.url}/a`, { method: 'POST' });
    const answer = new Promise<string>((resolve, reject) => {
      upload.on('response', (response) => resolve(text(response))).on('error', reject);
    });
    upload.write('the first half');
    // The rest is sent only when the second request has reached the API.
    while (api.seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    upload.end(' and the second');
    expect(await answer).toBe('the first half and the second');
    expect(front.refreshes).toBe(1);
  });

  it('twice gets the second refusal, and a later one forces no refresh', async () => {
    await using api = await startApi((incoming, response) => {
      incoming.resume();
      refuse(response);
    });
    await using front = await startFront({ origins: [api.origin] });
    for (let call = 0; call < 5; call++)
      expect((await post(`${front.url}/a`, 'x')).status).toBe(401);
    expect(front.refreshes).toBe(1);
    expect(api.seen).toHaveLength(6);
    expect(front.findings[0]).toEqual({ kind: 'token_rejected', generation: 2, named: true });
  });

  it('together with fifty others causes one refresh', async () => {
    await using api = await picky();
    await using front = await startFront({ origins: [api.origin] });
    const calls = Array.from({ length: 50 }, (_, i) => post(`${front.url}/${i}`, String(i)));
    const bodies = await Promise.all((await Promise.all(calls)).map((response) => response.text()));
    expect(bodies).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
    expect(front.refreshes).toBe(1);
  });
});

describe('a refusal whose body', () => {
  it('does not end is not waited for, and ended when the call is', async () => {
    const refused = Promise.withResolvers<ServerResponse>();
    await using api = await startApi((incoming, response) => {
      incoming.resume();
      if (incoming.headers.authorization !== FIRST) return void response.end('fine');
      response.writeHead(401, INVALID).write('to be continued');
      refused.resolve(response);
    });
    await using front = await startFront({ origins: [api.origin] });
    const response = await post(`${front.url}/a`, 'x');
    expect([response.status, await response.text()]).toEqual([200, 'fine']);
    const { socket } = await refused.promise;
    if (socket?.destroyed === false) await once(socket, 'close');
    expect(front.faults).toEqual([]);
  });

  it.each([
    ['the first', 0],
    ['the second', 1],
  ])('breaks at %s time is told as an API that cannot be reached', async (_when, refreshes) => {
    await using api = await startApi((incoming, response) => {
      incoming.resume();
      if (refreshes === 1 && incoming.headers.authorization === FIRST) return refuse(response);
      response.writeHead(401, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    await using front = await startFront({ origins: [api.origin] });
    const response = await post(`${front.url}/a`, 'x');
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ code: 'ERR_API_UNREACHABLE' });
    expect([front.faults, front.refreshes]).toEqual([[], refreshes]);
  });

  it('breaks the protocol while it is judged is told as such', async () => {
    await using api = await startApi((incoming, response) => {
      incoming.resume();
      response.socket?.end('HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n');
    });
    await using front = await startFront({ origins: [api.origin] });
    const response = await post(`${front.url}/a`, 'x');
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ code: 'ERR_RESPONSE_INVALID' });
  });

  it('is long does not hold its connection when no newer token can be had', async () => {
    const refused = Promise.withResolvers<ServerResponse>();
    await using api = await startApi((incoming, response) => {
      incoming.resume();
      response.writeHead(401, INVALID).write(Buffer.alloc(8 * 1024 * 1024));
      refused.resolve(response);
    });
    let asked = 0;
    const beforeToken = (): void => {
      if (++asked > 1) throw new AuthorizationRequiredError('ERR_GRANT_REFUSED', 'consent is gone');
    };
    await using front = await startFront({ origins: [api.origin], beforeToken });
    expect((await post(`${front.url}/a`, 'x')).status).toBe(409);
    const { socket } = await refused.promise;
    if (socket?.destroyed === false) await once(socket, 'close');
    expect(front.faults).toEqual([]);
  });
});

describe('a refusal that no token mends', () => {
  it.each([
    ['of the gateway, named', { 'www-authenticate': 'AzureApiManagementKey realm="x"' }, ''],
    ['of the gateway, in its body', {}, 'Access denied due to invalid subscription key.'],
    ['for want of scopes', { 'www-authenticate': 'Bearer error="insufficient_scope"' }, ''],
    ['for want of a sign-in', { 'www-authenticate': 'Bearer error="insufficient_claims"' }, ''],
  ])('%s is passed on whole', async (_what, headers, body) => {
    await using api = await startApi((incoming, response) => {
      incoming.resume();
      response.writeHead(401, headers).end(body + 'x'.repeat(100_000));
    });
    await using front = await startFront({ origins: [api.origin] });
    const response = await post(`${front.url}/a`, 'x');
    expect(response.status).toBe(401);
    expect((await response.text()).length).toBe(body.length + 100_000);
    expect([front.refreshes, front.findings.length, api.seen.length]).toEqual([0, 1, 1]);
  });
});
