import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerDialect, TokenOutcome, TokenResponse } from '../../../src/oauth/outcome.ts';
import { readTokenAnswer } from '../../../src/oauth/token-answer.ts';
import { isBearer } from '../../../src/oauth/token-response.ts';
import { Secret } from '../../../src/secret.ts';

const NOW = Date.UTC(2026, 10, 24);

const KINDS: readonly TokenOutcome['kind'][] = [
  'refreshed',
  'throttled',
  'ambiguous',
  'grant_refused',
  'client_refused',
  'request_refused',
  'unnamed_refusal',
];

function answer(
  status: number,
  body: string | Uint8Array | object,
  options: { headers?: Record<string, string>; dialect?: AnswerDialect; secrets?: Secret[] } = {},
): TokenOutcome {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(text);
  const { headers = { 'content-type': 'application/json' }, dialect = {}, secrets } = options;
  return readTokenAnswer({ status, headers, body: bytes }, dialect, NOW, secrets);
}

function tokensOf(outcome: TokenOutcome): TokenResponse {
  if (outcome.kind !== 'refreshed') throw new Error(`expected tokens, got ${outcome.kind}`);
  return outcome.tokens;
}

function refusalOf(outcome: TokenOutcome): Extract<TokenOutcome, { refusal: unknown }>['refusal'] {
  if (!('refusal' in outcome)) throw new Error(`expected a refusal, got ${outcome.kind}`);
  return outcome.refusal;
}

const minimal = { access_token: 'at', token_type: 'Bearer' };

describe('a success answer', () => {
  it('as the page of Perspio documents it', () => {
    const tokens = tokensOf(
      answer(200, {
        access_token: 'eyBYY...',
        token_type: 'Bearer',
        expires_in: 3599,
        scope: 'api%3A%2F%2Fperspiotalk%2Fall_readwrite',
        refresh_token: 'AwBB...',
        id_token: 'eyJ0...',
      }),
    );
    expect(tokens.accessToken.reveal()).toBe('eyBYY...');
    expect(tokens.refreshToken?.reveal()).toBe('AwBB...');
    expect(tokens.idToken?.reveal()).toBe('eyJ0...');
    expect(tokens.accessLifeMs).toBe(3_599_000);
    expect(tokens.scope).toEqual(['api://perspiotalk/all_readwrite']);
    expect(tokens.warnings).toEqual(['the scope was percent-encoded; it was decoded once']);
  });

  it('may hold members that nobody knows, and hands all of them out', () => {
    const tokens = tokensOf(answer(200, { ...minimal, foci: '1', nested: { access_token: 'no' } }));
    expect(JSON.parse(tokens.raw?.reveal() ?? '')).toEqual({
      ...minimal,
      foci: '1',
      nested: { access_token: 'no' },
    });
  });

  it.each([
    [3599, 3_599_000],
    ['3599', 3_599_000],
    [3599.9, 3_599_900],
    [0, 0],
    [30, 30_000],
    [undefined, 777],
    [null, 777],
    [-1, 777],
    ['-1', 777],
    ['soon', 777],
    [1e12, 777],
    [true, 777],
    [[3599], 777],
  ])('expires_in %j is a life of %d ms', (expires_in, lifeMs) => {
    const dialect = { defaultAccessLifeMs: 777 };
    expect(tokensOf(answer(200, { ...minimal, expires_in }, { dialect })).accessLifeMs).toBe(
      lifeMs,
    );
  });

  it('warns of a life that is not plausible, and not of one that is missing', () => {
    expect(tokensOf(answer(200, { ...minimal, expires_in: 1e12 })).warnings).toHaveLength(1);
    expect(tokensOf(answer(200, minimal)).warnings).toEqual([]);
    expect(tokensOf(answer(200, minimal)).accessLifeMs).toBeUndefined();
  });

  it.each(['', null, undefined])('a refresh token of %j counts as none', (refresh_token) => {
    expect(tokensOf(answer(200, { ...minimal, refresh_token })).refreshToken).toBeUndefined();
  });

  it('refresh_in is taken while it lies within the life', () => {
    const life = { ...minimal, expires_in: 3600 };
    expect(tokensOf(answer(200, { ...life, refresh_in: 1800 })).refreshInMs).toBe(1_800_000);
    expect(tokensOf(answer(200, { ...life, refresh_in: 3600 })).refreshInMs).toBeUndefined();
  });

  it.each([
    ['refresh_token_expires_in', 100, 100_000],
    ['refresh_token_timeout', 100, 100_000],
    ['x_refresh_token_expires_in', '100', 100_000],
    ['x_refresh_token_expires_in', 0, undefined],
    ['unknown_expires_in', 100, undefined],
  ])('%s %j is the life of the refresh token', (name, value, expected) => {
    const dialect = { refreshExpiryField: 'x_refresh_token_expires_in' };
    const outcome = answer(200, { ...minimal, [name]: value }, { dialect });
    expect(tokensOf(outcome).refreshLifeMs).toBe(expected);
  });

  it.each([
    ['a b', {}, ['a', 'b']],
    ['a,b', { scopeSeparator: ',' }, ['a', 'b']],
    [['a', 'b'], {}, ['a', 'b']],
    ['', {}, undefined],
    [undefined, {}, undefined],
    [7, {}, undefined],
  ])('scope %j is what was granted', (scope, dialect, expected) => {
    expect(tokensOf(answer(200, { ...minimal, scope }, { dialect })).scope).toEqual(expected);
  });

  it.each([
    ['bearer', true],
    ['BEARER', true],
    ['mac', false],
    ['DPoP', false],
    [undefined, false],
  ])('token_type %j can be used as a bearer token: %s', (token_type, expected) => {
    const { tokenType } = tokensOf(answer(200, { access_token: 'at', token_type }));
    expect(tokenType).toBe(token_type);
    expect(isBearer(tokenType)).toBe(expected);
  });

  it('has the token type of the dialect when it names none', () => {
    const dialect = { defaultTokenType: 'Bearer' };
    expect(tokensOf(answer(200, { access_token: 'at' }, { dialect })).tokenType).toBe('Bearer');
  });

  it('is known by its members alone, not by its status or type', () => {
    expect(answer(201, minimal).kind).toBe('refreshed');
    expect(answer(200, minimal, { headers: { 'content-type': 'text/html' } }).kind).toBe(
      'refreshed',
    );
    expect(answer(200, minimal, { headers: {} }).kind).toBe('refreshed');
  });

  it('may begin with a byte order mark and white space', () => {
    expect(answer(200, `\ufeff\r\n ${JSON.stringify(minimal)}\n`).kind).toBe('refreshed');
  });

  it('may be a form', () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const form = 'access_token=at&token_type=bearer&expires_in=60&scope=a%20b&refresh_token=r%2Bt';
    for (const outcome of [answer(200, form, { headers }), answer(200, form, { headers: {} })]) {
      const tokens = tokensOf(outcome);
      expect(tokens.refreshToken?.reveal()).toBe('r+t');
      expect(tokens.accessLifeMs).toBe(60_000);
      expect(tokens.scope).toEqual(['a', 'b']);
      expect(JSON.parse(tokens.raw?.reveal() ?? '')).toHaveProperty('refresh_token', 'r+t');
    }
  });

  it('does not show its tokens when it is printed', () => {
    const outcome = answer(200, { ...minimal, access_token: 'at-1', refresh_token: 'rt-1' });
    expect(inspect(outcome, { depth: 9 }) + JSON.stringify(outcome)).not.toMatch(/[ar]t-1/);
  });
});

describe('a 2xx answer that is no token response is ambiguous, and its bytes are kept', () => {
  it.each<[string, string]>([
    ['empty', ''],
    ['HTML', '<html><body>Sign in</body></html>'],
    ['a JSON text', '"access_token"'],
    ['a JSON array', '[{"access_token":"at"}]'],
    ['null', 'null'],
    ['an object without a token', '{"token_type":"Bearer"}'],
    ['an empty token', '{"access_token":"","token_type":"Bearer"}'],
    ['a token that is a number', '{"access_token":7}'],
    ['a token with a line break', '{"access_token":"a\\r\\nb"}'],
    ['a token beyond ASCII', '{"access_token":"é"}'],
    [
      'a refresh token that is a number',
      '{"access_token":"at","refresh_token":12345678901234567890}',
    ],
    ['an error without a name', '{"access_token":"at","error":{"reason":1}}'],
    ['a trailing comma', '{"access_token":"at","token_type":"Bearer",}'],
    ['cut off', '{"access_token":"at","refresh_tok'],
    ['two access tokens', '{"access_token":"one","access_token":"two"}'],
    ['two access tokens, one escaped', '{"access_token":"one","access\\u005ftoken":"two"}'],
    ['a form with two access tokens', 'access_token=one&access_token=two'],
    ['a token in a member called __proto__', '{"__proto__":{"access_token":"at"}}'],
    ['a token in a nested object', '{"data":{"access_token":"at"}}'],
    ['a deep nest', '['.repeat(100_000)],
  ])('%s', (_what, body) => {
    const outcome = answer(200, body, { headers: {} });
    expect(outcome).toMatchObject({ kind: 'ambiguous', status: 200, answer: 'unreadable' });
    expect(outcome.kind === 'ambiguous' && new TextDecoder().decode(outcome.body)).toBe(body);
  });

  it('a body that is not UTF-8, since a token in it could have been spoilt', () => {
    const bytes = new Uint8Array([...Buffer.from('{"access_token":"at","x":"'), 0xe9, 0x22, 0x7d]);
    expect(answer(200, bytes)).toMatchObject({ kind: 'ambiguous', body: bytes });
  });

  it('and the reason names no byte of it', () => {
    const outcome = answer(200, '{"access_token":"at-1",}');
    expect(outcome.kind === 'ambiguous' && outcome.reason).not.toContain('at-1');
  });

  it('but a nested member may be repeated or nested deeply, as nobody reads it', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const body = `{"x":{"a":1,"a":"}{"},"deep":${deep},"access_token":"at","token_type":"Bearer"}`;
    const tokens = tokensOf(answer(200, body));
    expect(tokens.raw?.reveal()).toBe(body);
  });
});

describe('a failure of the server', () => {
  it.each([
    ['a page', 500, '<html><body>Bad Gateway</body></html>'],
    ['a cut answer', 502, '{"access_token":"at","refresh_token":"rt'],
    ['an answer with a comma too many', 500, '{"access_token":"at","refresh_token":"rt-1",}'],
    ['an answer without an access token', 503, '{"refresh_token":"rt-1"}'],
    ['an answer with an error and tokens', 500, '{"error":"server_error","refresh_token":"rt-1"}'],
    ['an answer to a request that took too long', 408, '\u0000\u0001'],
    ['an answer of a status nobody knows', 199, 'access_token: at'],
  ])('(%s) keeps the bytes, which may hold the only copy of a token', (_what, status, body) => {
    const outcome = answer(status, body, { headers: {} });
    expect(outcome).toMatchObject({ kind: 'ambiguous', status, answer: 'failed' });
    expect(outcome.kind === 'ambiguous' && new TextDecoder().decode(outcome.body)).toBe(body);
  });

  it.each([
    ['', 500],
    ['{"error":"server_error","error_description":"busy"}', 500],
    ['{"message":"oops"}', 502],
    ['{"error":"server_error","refresh_token":"rt-old"}', 500],
  ])('keeps nothing of %j, in which there is no new token', (body, status) => {
    const outcome = answer(status, body, { secrets: [new Secret('rt-old')] });
    expect(outcome).toMatchObject({ kind: 'ambiguous', answer: 'failed', body: undefined });
  });
});

describe('a 2xx answer that names an error and brings a refresh token', () => {
  const body = { error: 'invalid_grant', refresh_token: 'rt-new' };

  it('is kept whole, since nobody can know what the token is worth', () => {
    const outcome = answer(200, body);
    expect(outcome).toMatchObject({ kind: 'ambiguous', answer: 'unreadable' });
    expect(outcome.kind === 'ambiguous' && outcome.body).toBeTruthy();
  });

  it('is a refusal where the token is the one that was sent', () => {
    expect(answer(200, body, { secrets: [new Secret('rt-new')] }).kind).toBe('grant_refused');
  });

  it('is not shown where its words repeat the token', () => {
    const said = {
      error: 'odd',
      error_description: 'rt-new-0123456789',
      id_token: 'rt-new-0123456789',
    };
    expect(answer(400, said)).toMatchObject({ refusal: { description: '[secret]' } });
  });
});

describe('an error name decides, whatever the status', () => {
  it.each<[string, TokenOutcome['kind']]>([
    ['invalid_grant', 'grant_refused'],
    ['interaction_required', 'grant_refused'],
    ['login_required', 'grant_refused'],
    ['consent_required', 'grant_refused'],
    ['account_selection_required', 'grant_refused'],
    ['authorization_declined', 'grant_refused'],
    ['code_expired', 'grant_refused'],
    ['bad_verification_code', 'grant_refused'],
    ['access_denied', 'grant_refused'],
    ['expired_token', 'grant_refused'],
    ['invalid_client', 'client_refused'],
    ['invalid_scope', 'request_refused'],
    ['invalid_request', 'request_refused'],
    ['unauthorized_client', 'request_refused'],
    ['unsupported_grant_type', 'request_refused'],
    ['invalid_target', 'request_refused'],
    ['invalid_resource', 'request_refused'],
    ['invalid_dpop_proof', 'request_refused'],
    ['temporarily_unavailable', 'throttled'],
    ['slow_down', 'throttled'],
    ['authorization_pending', 'throttled'],
    ['server_error', 'ambiguous'],
  ])('%s is %s', (error, kind) => {
    for (const status of [200, 302, 400, 401, 403, 408, 429, 500, 503]) {
      expect(answer(status, { error }).kind).toBe(kind);
      expect(answer(status, { error, access_token: 'at' }).kind).toBe(kind);
      expect(answer(status, `error=${error}`, { headers: {} }).kind).toBe(kind);
    }
  });

  it('an unknown one refuses the request', () => {
    expect(answer(400, { error: 'out_of_cheese' }).kind).toBe('request_refused');
    expect(answer(200, { error: 'out_of_cheese' }).kind).toBe('request_refused');
  });

  it('an unknown one leaves 408, 429 and 5xx their meaning, as gateways put words there', () => {
    expect(answer(429, { error: 'Too Many Requests' }).kind).toBe('throttled');
    expect(answer(502, { error: 'Bad Gateway' })).toMatchObject({
      kind: 'ambiguous',
      reason: 'the server answered 502 (Bad Gateway)',
    });
    expect(answer(408, { error: 'Request Timeout' }).kind).toBe('ambiguous');
  });

  it('is translated where the provider has a name of its own', () => {
    const dialect = { errorAliases: { bad_refresh_token: 'invalid_grant', GONE: 'invalid_grant' } };
    const outcome = answer(200, { error: 'bad_refresh_token' }, { dialect });
    expect(outcome).toMatchObject({ kind: 'grant_refused', refusal: { error: 'invalid_grant' } });
    expect(answer(400, { status: 'GONE' }, { dialect }).kind).toBe('grant_refused');
    expect(answer(400, { error: { status: 'GONE' } }, { dialect }).kind).toBe('grant_refused');
    expect(answer(400, { error: 'constructor' }, { dialect }).kind).toBe('request_refused');
  });

  it('that is empty or null is none', () => {
    expect(answer(200, { ...minimal, error: null }).kind).toBe('refreshed');
    expect(answer(200, { ...minimal, error: '' }).kind).toBe('refreshed');
  });

  it('of an Entra answer with code 50196 means "wait", whatever it says', () => {
    const dialect = { throttleCodes: [50196] };
    const body = { error: 'invalid_grant', error_codes: [50196] };
    expect(answer(400, body, { dialect }).kind).toBe('throttled');
    expect(answer(400, { ...body, error_codes: ['50196'] }, { dialect }).kind).toBe('throttled');
    expect(answer(400, body).kind).toBe('grant_refused');
  });
});

describe('without an error name the status decides', () => {
  it.each<[number, string, TokenOutcome['kind']]>([
    [301, '', 'request_refused'],
    [307, '<a href="https://elsewhere">', 'request_refused'],
    [400, '', 'unnamed_refusal'],
    [401, '{}', 'unnamed_refusal'],
    [403, '<html>firewall</html>', 'unnamed_refusal'],
    [404, '{"message":"not found"}', 'unnamed_refusal'],
    [408, '', 'ambiguous'],
    [429, 'Too Many Requests', 'throttled'],
    [500, '', 'ambiguous'],
    [502, '<html>', 'ambiguous'],
    [503, '', 'ambiguous'],
    [504, '', 'ambiguous'],
  ])('%d %j is %s', (status, body, kind) => {
    expect(answer(status, body, { headers: {} }).kind).toBe(kind);
  });

  it('503 with Retry-After asks to wait; with nonsense in it, it does not', () => {
    expect(answer(503, '', { headers: { 'retry-after': '7' } })).toMatchObject({
      kind: 'throttled',
      retryAfterMs: 7000,
    });
    expect(answer(503, '', { headers: { 'retry-after': 'soon' } }).kind).toBe('ambiguous');
  });

  it('a wait is told as the server named it, however long', () => {
    const day = { 'retry-after': '86400' };
    expect(answer(429, '', { headers: day })).toHaveProperty('retryAfterMs', 86_400_000);
    expect(answer(500, '', { headers: day })).toHaveProperty('retryAfterMs', 86_400_000);
    expect(answer(429, '')).toHaveProperty('retryAfterMs', undefined);
  });
});

describe('a refusal', () => {
  it('of Entra is split for programs', () => {
    const claims = '{"access_token":{"capolids":{"essential":true,"values":["x"]}}}';
    const outcome = answer(400, {
      error: 'invalid_grant',
      error_description: 'AADSTS50076: demo.\r\nTrace ID: t\r\nCorrelation ID: c',
      error_codes: [50076, '70000', 'x', null],
      suberror: 'basic_action',
      trace_id: 't',
      correlation_id: 'c',
      claims,
    });
    expect(refusalOf(outcome)).toEqual({
      status: 400,
      error: 'invalid_grant',
      description: 'AADSTS50076: demo. Trace ID: t Correlation ID: c',
      suberror: 'basic_action',
      codes: [50076, 70000],
      claims,
      traceId: 't',
      correlationId: 'c',
    });
  });

  it('is cleaned of what could fool a terminal, and cut', () => {
    const error_description = `\u001b[31mred\u202e\u0000\n${'x'.repeat(300)}`;
    const { description = '' } = refusalOf(
      answer(400, { error: 'invalid_grant', error_description }),
    );
    expect(description).toHaveLength(200);
    expect(description).toMatch(/^\[31mred x+…$/);
  });

  it('does not show a secret that the server echoed', () => {
    const secrets = [new Secret('rt-secret-1')];
    const body = { error: 'invalid_grant', error_description: 'unknown token rt-secret-1!' };
    expect(refusalOf(answer(400, body, { secrets })).description).toBe('unknown token [secret]!');
  });

  it('in another encoding than UTF-8 is still read', () => {
    const body = Buffer.from('{"error":"invalid_grant","error_description":"caf\xe9"}', 'latin1');
    expect(answer(400, new Uint8Array(body)).kind).toBe('grant_refused');
  });
});

describe('any bytes at all', () => {
  const status = fc.oneof(
    fc.integer({ min: 100, max: 599 }),
    fc.constantFrom(200, 400, 401, 429, 503),
  );
  const headers = fc.record({
    'content-type': fc.constantFrom(
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
    ),
    'retry-after': fc.oneof(fc.string(), fc.constantFrom('5', 'Tue, 24 Nov 2026 03:05:05 GMT')),
  });
  const names = fc.constantFrom(
    'access_token',
    'token_type',
    'expires_in',
    'refresh_in',
    'refresh_token',
    'scope',
    'error',
    'error_description',
    'error_codes',
    'suberror',
    '__proto__',
    'constructor',
  );
  const members = fc.dictionary(
    names,
    fc.oneof(
      fc.json().map((text) => JSON.parse(text) as unknown),
      fc.string({ unit: 'binary' }),
      fc.double(),
    ),
  );
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
    members.map((value) => new TextEncoder().encode(JSON.stringify(value))),
    members.map((value) =>
      new TextEncoder().encode(`{"__proto__":{"polluted":1},${JSON.stringify(value).slice(1)}`),
    ),
  );

  it('come to one of the named outcomes, without a throw and without a trace on the prototype', () => {
    fc.assert(
      fc.property(status, headers, body, (code, fields, bytes) => {
        const dialect = { errorAliases: { x: 'invalid_grant' }, throttleCodes: [50196] };
        const outcome = readTokenAnswer(
          { status: code, headers: fields, body: bytes },
          dialect,
          NOW,
        );
        expect(KINDS).toContain(outcome.kind);
        expect(Object.prototype).not.toHaveProperty('polluted');
        expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('access_token');
        if (outcome.kind === 'refreshed') {
          expect(outcome.tokens.accessToken.reveal()).toMatch(/^[\x20-\x7e]+$/);
          const lives = [outcome.tokens.accessLifeMs, outcome.tokens.refreshInMs];
          for (const life of lives) if (life !== undefined) expect(life).toBeGreaterThanOrEqual(0);
        }
        if ('refusal' in outcome) {
          expect(outcome.refusal.description ?? '').not.toMatch(/\p{C}/u);
          expect(outcome.refusal.error ?? '').not.toMatch(/\p{C}/u);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of 256 KiB are read in linear time', () => {
    const quarter = 256 * 1024;
    const hostile = ['"', '\\', '{', '%', '&', '=', 'a=', '{"a":"', '{"a":1,', '\\"'];
    for (const piece of hostile) {
      const text = `{"access_token":"at","x":"${piece.repeat(quarter / piece.length)}`;
      expect(answer(200, text).kind).toBe('ambiguous');
      expect(KINDS).toContain(
        answer(200, piece.repeat(quarter / piece.length), { headers: {} }).kind,
      );
    }
    const many = Array.from({ length: 20_000 }, (_, i) => `"k${String(i)}":""`).join(',');
    expect(answer(200, `{${many},"access_token":"at"}`).kind).toBe('refreshed');
  });
});
