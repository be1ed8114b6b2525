import { describe, expect, it } from 'vitest';
import { AccessToken } from '../../../../src/access-token.ts';
import { answerFields, requestFields } from '../../../../src/daemon/proxy/headers.ts';
import { Secret } from '../../../../src/secret.ts';

const token = new AccessToken('at', { type: 'Bearer', scope: [], expiresAt: 0, generation: 1 });
const api = {
  origins: ['https://talk.example'],
  base: 'https://talk.example',
  headers: {
    'Ocp-Apim-Subscription-Key': { setting: 'subscriptionKey' },
    tid: { setting: 'perspioTenantId' },
    'X-Client': { value: 'fixed' },
  },
} as const;
const settings = { subscriptionKey: new Secret('key'), perspioTenantId: 'in-1' };

function sent(given: Record<string, string>, known: object = settings): string[] {
  const raw = Object.entries(given).flat();
  const fields = requestFields(raw, { api, settings: known }, token);
  return lines(fields);
}

function answered(given: Record<string, string>): string[] {
  return lines(answerFields(Object.entries(given).flat(), ['at', 'key'])).slice(0, -4);
}

function lines(fields: readonly string[]): string[] {
  return fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${fields[i + 1]}`] : []));
}

const OURS = [
  'X-Client: fixed',
  'accept: application/json',
  'authorization: Bearer at',
  'Ocp-Apim-Subscription-Key: key',
  'tid: in-1',
];

describe('the fields of a request', () => {
  it('are those of the caller, the constant ones that it did not give, and the credentials', () => {
    expect(sent({ 'X-Own': 'a', Accept: 'text/csv', 'x-client': 'mine' })).toEqual([
      'X-Own: a',
      'Accept: text/csv',
      'x-client: mine',
      ...OURS.slice(2),
    ]);
  });

  it.each([
    'Authorization',
    'Cookie',
    'Host',
    'Expect',
    'Content-Length',
    'Connection',
    'Keep-Alive',
    'Proxy-Authorization',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'HTTP2-Settings',
    'Forwarded',
    'Via',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X_Forwarded_For',
    'X-Real-IP',
    'X-Original-URL',
    'X-Rewrite-URL',
    'Proxy',
    'Sec-Fetch-Site',
    'X-Evergrant-Key',
    'Ocp-Apim-Subscription-Key',
    'ocp_apim_subscription_key',
    'TID',
    'CF-Connecting-IP',
  ])('leave out %s of the caller', (name) => {
    expect(sent({ [name]: 'evil' })).toEqual(OURS);
  });

  it('leave out what Connection names, whatever it names', () => {
    const named = {
      Connection: 'close, X-Own ,x_other',
      'x-own': 'a',
      'X-Other': 'b',
      'X-Kept': 'c',
    };
    expect(sent(named)).toEqual(['X-Kept: c', ...OURS]);
  });

  it('do not let the caller fill what the connection leaves open', () => {
    expect(sent({ tid: 'in-2' }, {})).toEqual([...OURS.slice(0, 3)]);
  });

  it.each(['X-HTTP-Method', 'X-HTTP-Method-Override', 'x_method_override'])(
    'are refused with %s, which asks for another method',
    (name) => {
      expect(() => sent({ [name]: 'DELETE' })).toThrow(/another method/);
    },
  );
});

describe('the fields of an answer', () => {
  it('are those of the API', () => {
    const given = {
      'Content-Type': 'text/plain',
      ETag: '"1"',
      'WWW-Authenticate': 'Bearer',
      Link: 'x',
    };
    expect(answered(given)).toEqual(Object.entries(given).map((field) => field.join(': ')));
  });

  it.each([
    'Set-Cookie',
    'Connection',
    'Transfer-Encoding',
    'Trailer',
    'Proxy-Authenticate',
    'Access-Control-Allow-Origin',
    'Content-Security-Policy',
    'Cross-Origin-Resource-Policy',
    'Clear-Site-Data',
    'Strict-Transport-Security',
    'Alt-Svc',
    'Refresh',
    'Service-Worker-Allowed',
    'X-Accel-Redirect',
    'X-Sendfile',
  ])('leave out %s', (name) => {
    expect(answered({ [name]: 'a' })).toEqual([]);
  });

  it('leave out what Connection names, and what holds a secret', () => {
    const given = {
      Connection: 'x-a',
      'X-A': '1',
      'X-Echo': 'Bearer at',
      'X-Key': 'the key',
      'X-B': '2',
    };
    expect(answered(given)).toEqual(['X-B: 2']);
  });

  it('keep a page of the API from acting as one of ours', () => {
    expect(lines(answerFields([], []))).toEqual([
      "content-security-policy: sandbox; default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy: same-origin',
      'referrer-policy: no-referrer',
      'x-content-type-options: nosniff',
    ]);
  });
});
