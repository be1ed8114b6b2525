import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Emulator, Fault, PlainFaultKind } from '../../../src/emulator/emulator.ts';
import { emulatorFixture } from '../../support/emulator-fixture.ts';
import { call, refresh, requestToken, sendRaw } from '../../support/emulator-requests.ts';

const startEmulator = emulatorFixture();
let emulator: Emulator;
let refreshToken: string;

beforeEach(async () => {
  emulator = await startEmulator();
  refreshToken = (await emulator.issueGrant()).refreshToken ?? '';
});

const generation = () => emulator.describe()[0]?.generation;

describe('a fault in place of the answer', () => {
  it.each<[string, Fault, number, RegExp | null, RegExp]>([
    ['429 as plain text', 'throttled', 429, /^60$/, /^Too Many Requests$/],
    ['429 with other seconds', { kind: 'throttled', retryAfter: 7 }, 429, /^7$/, /^Too/],
    ['429 with garbage', { kind: 'throttled', retryAfter: 'soon' }, 429, /^soon$/, /^Too/],
    ['429 without the header', { kind: 'throttled', retryAfter: null }, 429, null, /^Too/],
    ['503 in JSON', 'unavailable', 503, null, /"temporarily_unavailable".*90033/s],
    ['503 with Retry-After', { kind: 'unavailable', retryAfter: 9 }, 503, /^9$/, /90033/],
    ['504 in HTML', 'gateway-timeout', 504, null, /<h1>504/],
    ['500 in HTML', 'server-error', 500, null, /<h1>500/],
    ['502 in HTML', { kind: 'server-error', status: 502 }, 502, null, /<h1>502/],
    ['307', 'redirect', 307, null, /^$/],
    ['an empty 400', 'empty-400', 400, null, /^$/],
    ['403 in HTML', 'html-403', 403, null, /<h1>403/],
    ['anything', { kind: 'raw', status: 418, body: 'short and stout' }, 418, null, /^short/],
  ])('can be %s', async (_what, fault, status, retryAfter, body) => {
    emulator.faults.next(fault);
    const reply = await refresh(emulator, refreshToken);
    expect(reply.status).toBe(status);
    if (retryAfter === null) expect(reply.headers.get('retry-after')).toBeNull();
    else expect(reply.headers.get('retry-after')).toMatch(retryAfter);
    expect(reply.text).toMatch(body);
    expect(generation()).toBe(1);
    expect(emulator.ledger.entries()).toMatchObject([
      { outcome: 'faulted', committed: false, delivered: true, presentedGeneration: 1, status },
    ]);
  });

  it.each<[number, string, number, object]>([
    [50196, 'invalid_grant', 400, {}],
    [50076, 'invalid_grant', 400, { suberror: 'basic_action', claims: expect.any(String) }],
    [53003, 'invalid_grant', 400, { suberror: 'message_only' }],
    [65001, 'invalid_grant', 400, { suberror: 'consent_required' }],
    [70043, 'invalid_grant', 400, {}],
    [700082, 'invalid_grant', 400, { suberror: 'bad_token' }],
    [50173, 'invalid_grant', 400, {}],
    [7000215, 'invalid_client', 401, {}],
    [7000222, 'invalid_client', 401, {}],
    [90033, 'temporarily_unavailable', 503, {}],
    [50058, 'login_required', 400, {}],
    [123456, 'invalid_grant', 400, {}],
  ])('can be AADSTS%i with what it comes with', async (code, error, status, others) => {
    emulator.faults.next(code);
    const reply = await refresh(emulator, refreshToken);
    expect(reply.status).toBe(status);
    expect(reply.json()).toMatchObject({ error, error_codes: [code], ...others });
    expect(emulator.ledger.entries()).toMatchObject([{ fault: 'aadsts', aadsts: code }]);
  });

  it('can carry an error name and members of its own, even under 200', async () => {
    emulator.faults.next({ kind: 'aadsts', code: 70016, error: 'slow_down', status: 200 });
    const reply = await refresh(emulator, refreshToken);
    expect(reply.status).toBe(200);
    expect(reply.json()['error']).toBe('slow_down');
  });

  it('can name a date after which to retry, on the clock of the emulator', async () => {
    emulator.clock.advance(86_400_000);
    emulator.faults.next({ kind: 'throttled', retryAfter: { dateInMs: 120_000 } });
    const { headers } = await refresh(emulator, refreshToken);
    const [date, retryAt] = [headers.get('date') ?? '', headers.get('retry-after') ?? ''];
    expect(Date.parse(retryAt) - Date.parse(date)).toBe(120_000);
  });

  it('can come after the commit, so that the outcome is ambiguous', async () => {
    emulator.faults.next({ kind: 'gateway-timeout', afterCommit: true });
    expect((await refresh(emulator, refreshToken)).status).toBe(504);
    expect(generation()).toBe(2);
    expect(emulator.ledger.entries()).toMatchObject([
      { outcome: 'issued', committed: true, status: 504, fault: 'gateway-timeout' },
    ]);
  });
});

describe('a fault of the connection', () => {
  it.each<[Fault, number, boolean]>([
    ['cut-before-commit', 1, false],
    ['cut-after-commit', 2, true],
    ['half-answer', 2, true],
  ])('%s leaves generation %i', async (fault, newest, committed) => {
    emulator.faults.next(fault);
    await expect(refresh(emulator, refreshToken)).rejects.toThrow();
    expect(generation()).toBe(newest);
    expect(emulator.ledger.entries()).toMatchObject([{ committed, delivered: false }]);
  });

  it('half-answer sends the first half of the body and announces the whole', async () => {
    emulator.faults.next('half-answer');
    const path = new URL(emulator.tokenEndpoint).pathname;
    const body = `client_id=perspio-demo&client_secret=demo~secret%2B1&grant_type=refresh_token&refresh_token=${refreshToken}`;
    const answer = await sendRaw(
      emulator,
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
    );
    const announced = Number(/content-length: (\d+)/i.exec(answer)?.[1]);
    const received = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    expect(received.length).toBe(Math.ceil(announced / 2));
    expect(received).toMatch(/^\{"token_type":"Bearer"/);
  });

  it.each<[PlainFaultKind, number]>([
    ['hang-before-commit', 1],
    ['hang-after-commit', 2],
  ])('%s never answers and leaves generation %i', async (fault, newest) => {
    emulator.faults.next(fault);
    const never = refresh(emulator, refreshToken);
    never.catch(() => undefined);
    await emulator.ledger.waitFor(1, { fault });
    await emulator.ledger.waitFor(1, { outcome: newest === 2 ? 'issued' : 'faulted' });
    expect(generation()).toBe(newest);
    await emulator.close();
    await expect(never).rejects.toThrow();
  });

  it.each<[Fault, number]>([
    ['hold-before-commit', 1],
    ['hold-after-commit', 2],
  ])(
    '%s waits at generation %i and then goes on as if nothing had happened',
    async (fault, held) => {
      emulator.faults.next(fault);
      const reply = refresh(emulator, refreshToken);
      await emulator.ledger.waitFor(1, { held: true, committed: held === 2 });
      expect(emulator.faults.held).toBe(1);
      expect(generation()).toBe(held);
      expect(emulator.faults.release()).toBe(1);
      expect((await reply).status).toBe(200);
      expect(generation()).toBe(2);
    },
  );

  it('held requests are released in the order in which they came', async () => {
    emulator.faults.always('hold-after-commit');
    const first = refresh(emulator, refreshToken);
    await emulator.ledger.waitFor(1, { held: true });
    const second = refresh(emulator, refreshToken);
    await emulator.ledger.waitFor(2, { held: true });
    expect(emulator.faults.release(1)).toBe(1);
    await first;
    expect(emulator.faults.held).toBe(1);
    emulator.faults.release();
    await second;
  });
});

describe('a fault in the body', () => {
  const body = async (fault: Fault): Promise<string> => {
    emulator.faults.next(fault);
    const reply = await refresh(emulator, refreshToken);
    expect(reply.status).toBe(200);
    expect(emulator.ledger.entries()).toMatchObject([{ outcome: 'issued', committed: true }]);
    return reply.text;
  };
  const members = async (fault: Fault) => JSON.parse(await body(fault)) as Record<string, unknown>;

  it('not-json is a page', async () => {
    expect(await body('not-json')).toMatch(/^<html>/);
  });

  it('trailing-comma is not JSON, but would be without the comma', async () => {
    const text = await body('trailing-comma');
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(JSON.parse(text.replace(/,\}$/, '}'))).toHaveProperty('refresh_token');
  });

  it('bom puts a byte order mark before the JSON', async () => {
    emulator.faults.next('bom');
    const response = await fetch(emulator.tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'perspio-demo',
        client_secret: 'demo~secret+1',
        refresh_token: refreshToken,
      }),
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([...bytes.subarray(0, 4)]).toEqual([0xef, 0xbb, 0xbf, 0x7b]);
  });

  it('duplicate-keys gives a wrong access_token first', async () => {
    expect(await body('duplicate-keys')).toMatch(
      /"access_token":"wrong".*"access_token":"(?!wrong)/s,
    );
  });

  it('gzip-body is compressed although nobody asked', async () => {
    const path = new URL(emulator.tokenEndpoint).pathname;
    emulator.faults.next('gzip-body');
    const answer = await sendRaw(
      emulator,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/content-encoding: gzip/i);
    const compressed = Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1');
    expect(gunzipSync(compressed).toString()).toContain('AADSTS900561');
  });

  it('form-encoded is a form', async () => {
    const form = new URLSearchParams(await body('form-encoded'));
    expect(form.get('token_type')).toBe('Bearer');
    expect(form.get('refresh_token')).toMatch(/^1\./);
  });

  it.each<[string, Fault, string, unknown]>([
    ['encodes scope', 'percent-encoded-scope', 'scope', expect.stringMatching(/^api%3A%2F%2F/)],
    ['leaves refresh_token out', 'no-refresh-token', 'refresh_token', undefined],
    ['empties refresh_token', 'empty-refresh-token', 'refresh_token', ''],
    ['makes expires_in a string', 'expires-in', 'expires_in', expect.stringMatching(/^\d{4}$/)],
    ['makes expires_in 0', { kind: 'expires-in', value: 0 }, 'expires_in', 0],
    ['leaves expires_in out', { kind: 'expires-in', value: null }, 'expires_in', undefined],
    ['lowers token_type', 'token-type', 'token_type', 'bearer'],
    ['changes token_type', { kind: 'token-type', value: 'mac' }, 'token_type', 'mac'],
    ['leaves token_type out', { kind: 'token-type', value: null }, 'token_type', undefined],
    ['sets any member', { kind: 'members', members: { foci: '1' } }, 'foci', '1'],
  ])('%s', async (_what, fault, name, value) => {
    expect((await members(fault))[name]).toEqual(value);
  });

  it('oversize-body is padded to the size asked for', async () => {
    const text = await body({ kind: 'oversize-body', bytes: 300_000 });
    expect(text.length).toBeGreaterThan(300_000);
    expect(JSON.parse(text)).toHaveProperty('refresh_token');
  });

  it('slow-body arrives byte by byte and whole', async () => {
    const text = await body({ kind: 'slow-body', msPerByte: 0 });
    expect(JSON.parse(text)).toHaveProperty('refresh_token');
  });
});

describe('the plan of faults', () => {
  const statuses = async (count: number) => {
    const seen: number[] = [];
    for (let i = 0; i < count; i++) seen.push((await refresh(emulator, refreshToken)).status);
    return seen;
  };

  it('uses scripted faults up in order, then goes back to normal', async () => {
    emulator.faults.next('gateway-timeout');
    emulator.faults.next('throttled', { times: 2 });
    expect(await statuses(4)).toEqual([504, 429, 429, 200]);
  });

  it('keeps standing faults until they are cleared', async () => {
    emulator.faults.always('throttled');
    emulator.faults.next('gateway-timeout');
    expect(await statuses(3)).toEqual([504, 429, 429]);
    emulator.faults.clear();
    expect(await statuses(1)).toEqual([200]);
  });

  it('strikes only what matches', async () => {
    emulator.faults.always('throttled', { grantType: 'client_credentials' });
    emulator.faults.always('gateway-timeout', { clientId: 'perspio-public' });
    emulator.faults.always('empty-400', { endpoint: 'device-code' });
    emulator.faults.always('html-403', { grantId: 'grant-2' });
    expect(await statuses(1)).toEqual([200]);
    const other = await emulator.issueGrant();
    expect((await refresh(emulator, other.refreshToken)).status).toBe(403);
    const scope = 'api://perspiotalk/.default';
    const app = await requestToken(emulator, { grant_type: 'client_credentials', scope });
    expect(app.status).toBe(429);
    const device = await call(emulator.deviceAuthorizationEndpoint, { method: 'POST' });
    expect(device.status).toBe(400);
    expect(device.text).toBe('');
  });

  it('draws the same random faults for the same seed, about as often as asked', async () => {
    const draw = async (seed: number) => {
      emulator.faults.clear();
      emulator.faults.random({ rate: 0.5, kinds: ['throttled', 'gateway-timeout'], seed });
      return statuses(60);
    };
    const first = await draw(42);
    expect(await draw(42)).toEqual(first);
    expect(await draw(43)).not.toEqual(first);
    const struck = first.filter((status) => status !== 200).length;
    expect(struck).toBeGreaterThan(15);
    expect(struck).toBeLessThan(45);
    expect(new Set(first)).toEqual(new Set([200, 429, 504]));
  });

  it('refuses a fault that does not exist where it is written', () => {
    expect(() => {
      emulator.faults.next('no-such-fault' as Fault);
    }).toThrow('no-such-fault');
  });
});
