import { describe, expect, it } from 'vitest';
import type { Leftover } from '../../../src/connection/decision.ts';
import type { Rotation } from '../../../src/connection/record.ts';
import { leftoverContext, tokenContext } from '../../../src/connection/secrets.ts';
import type { Profile } from '../../../src/providers/profile.ts';
import type { Claimed } from '../../../src/refresh/claimed.ts';
import { prepareRenewal, sendRenewal, type Answered } from '../../../src/refresh/send.ts';
import { HttpConnectError, type Http } from '../../../src/system/http.ts';
import { openTokenEndpoint } from '../../../src/token-endpoint/exchange.ts';
import { oneRow } from '../../support/one-row.ts';
import { someAttempt, someTokens, someView } from '../../support/views.ts';

type Answer = readonly [status: number, members: object] | Error;

const tokens: Answer = [
  200,
  { access_token: 'at', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt-new' },
];
const refused: Answer = [400, { error: 'invalid_grant' }];
const noConsent: Answer = [400, { error: 'consent_required' }];
const noConsentBelow: Answer = [400, { error: 'invalid_grant', suberror: 'consent_required' }];
const failing: Answer = [503, {}];

/** A renewal of one connection. */
interface Sending {
  /** How the server answers a form. */
  answer(form: URLSearchParams): Answer;
  readonly rotation?: Rotation;
  readonly profile?: Partial<Profile>;
  /** What was put away: its label, and its refresh token, undefined where it does not open. */
  readonly left?: readonly (readonly [Partial<Leftover>, string | undefined])[];
  /** Scopes that the connection asks for and has been granted. */
  readonly scopes?: { readonly requested: readonly string[]; readonly granted: readonly string[] };
  /** Of connecting once more. */
  readonly connects?: boolean;
}

/** What it came to, which forms were sent, and what is put away still. */
async function send({
  answer,
  rotation = 'reusable',
  profile = {},
  left = [],
  scopes = { requested: ['api', 'more'], granted: ['api'] },
  connects = true,
}: Sending): Promise<{ answered: Answered; forms: string[]; leftovers: string[] }> {
  const { engine } = oneRow();
  const { sealer } = engine.store;
  const forms: string[] = [];
  const leftovers = left.map(([label, refreshToken], i): Leftover => {
    const usual = {
      kind: 'stray',
      grantId: 'grant',
      attemptId: `attempt-${String(i)}`,
      at: 0,
    } as const;
    const whole = { ...usual, ...label };
    const context = leftoverContext(refreshToken === undefined ? 'another' : 'connection', whole);
    return { ...whole, sealed: sealer.seal(JSON.stringify({ refreshToken }), context) };
  });
  let connections = 0;
  const http: Http = {
    connect: () => {
      connections++;
      if (!connects && connections > 1) return Promise.reject(new HttpConnectError('refused'));
      return Promise.resolve({
        send: ({ body = '' }) => {
          const form = new URLSearchParams(body);
          forms.push(`${form.get('refresh_token') ?? ''}: ${form.get('scope') ?? ''}`);
          const answered = answer(form);
          if (answered instanceof Error) return Promise.reject(answered);
          const [status, members] = answered;
          const headers = { 'content-type': 'application/json' };
          return Promise.resolve({ status, headers, body: Buffer.from(JSON.stringify(members)) });
        },
        close: () => undefined,
      });
    },
    close: () => undefined,
  };
  Object.assign(engine, { http });
  Object.assign(engine.store, {
    leftovers: () => Promise.resolve([...leftovers]),
    removeLeftover: (_id: string, attemptId: string) => {
      leftovers.splice(
        leftovers.findIndex((one) => one.attemptId === attemptId),
        1,
      );
      return Promise.resolve();
    },
  });
  const refreshToken = sealer.seal('rt', tokenContext('connection', 'refreshToken', 1));
  const view = someView({
    connection: {
      tokens: someTokens({ refreshToken }),
      scopes: { ...scopes, refresh: scopes.requested },
    },
  });
  const habits = { sendScopeOnRefresh: true, scopes: {}, dialect: {}, ...profile };
  const claimed: Claimed = {
    ...{ attempt: someAttempt(), view, rotation, profile: habits as unknown as Profile },
  };
  const opened = await openTokenEndpoint(http, view.client.tokenEndpoint, {
    ...{ fresh: true, connectTimeoutMs: 1, insecureLoopback: false },
  });
  if (opened.kind !== 'open') throw new Error('it did not open');
  const answered = await sendRenewal(engine, claimed, opened, prepareRenewal(engine, claimed));
  return { answered, forms, leftovers: leftovers.map(({ attemptId }) => attemptId) };
}

const always = (answer: Answer) => (): Answer => answer;

describe('a renewal that lacks consent', () => {
  const retrying = { profile: { retryWithGrantedScope: true } } as const;
  const ofScope =
    (granted: Answer, first: Answer = noConsent) =>
    (form: URLSearchParams): Answer =>
      form.get('scope') === 'api' ? granted : first;

  it.each([
    ['consent_required', noConsent],
    ['invalid_grant with consent_required below', noConsentBelow],
  ])(
    '(%s) is sent again with what was granted, which is asked for from then on',
    async (_what, first) => {
      const { answered, forms } = await send({ ...retrying, answer: ofScope(tokens, first) });
      expect(forms).toEqual(['rt: api more', 'rt: api']);
      expect(answered).toMatchObject({ outcome: { kind: 'refreshed' }, refreshScope: ['api'] });
    },
  );

  it('counts with what the second request came to, unless that was refused as well', async () => {
    const failed = await send({ ...retrying, answer: ofScope(failing) });
    expect(failed.answered.outcome.kind).toBe('ambiguous');
    expect(failed.answered).not.toHaveProperty('refreshScope');
    for (const again of [refused, [400, { error: 'invalid_scope' }], [400, {}]] as const) {
      const { answered, forms } = await send({ ...retrying, answer: ofScope(again) });
      expect(answered).toMatchObject({
        outcome: { kind: 'grant_refused', refusal: { error: 'consent_required' } },
      });
      expect(forms).toHaveLength(2);
    }
  });

  it.each<[string, Partial<Sending>]>([
    ['the provider does not know that', { profile: {} }],
    ['the grant was refused for something else', { answer: always(refused) }],
    ['a refresh token is good once', { rotation: 'single-use' }],
    ['all was granted', { scopes: { requested: ['api', 'b'], granted: ['b', 'api'] } }],
  ])('is not sent again where %s', async (_why, change) => {
    const { forms, answered } = await send({ ...retrying, answer: always(noConsent), ...change });
    expect(forms).toHaveLength(1);
    expect(answered.outcome.kind).toBe('grant_refused');
  });

  it('is sent again where as many were granted, but others', async () => {
    const scopes = { requested: ['api', 'more'], granted: ['api', 'other'] };
    const { forms } = await send({ ...retrying, scopes, answer: always(noConsent) });
    expect(forms).toEqual(['rt: api more', 'rt: api other']);
  });

  it('tells that nothing was sent where the second request finds no connection', async () => {
    const { answered } = await send({ ...retrying, connects: false, answer: always(noConsent) });
    expect(answered.outcome.kind).toBe('not_sent');
    expect(answered.sentAt).toBe(Date.UTC(2026, 0, 1));
  });
});

describe('a refused grant is tried with each refresh token that was put away', () => {
  const good =
    (value: string) =>
    (form: URLSearchParams): Answer =>
      form.get('refresh_token') === value ? tokens : refused;

  it('until one works; those that were refused are thrown away', async () => {
    const { answered, forms, leftovers } = await send({
      answer: good('second'),
      left: [
        [{}, 'first'],
        [{}, 'second'],
        [{}, 'third'],
      ],
    });
    expect(forms.map((form) => form.split(':')[0])).toEqual(['rt', 'first', 'second']);
    expect(answered).toMatchObject({ outcome: { kind: 'refreshed' } });
    expect(answered.stray).toMatchObject({ attemptId: 'attempt-1' });
    expect(answered.stray?.refreshToken.reveal()).toBe('second');
    // What worked is thrown away once its tokens are stored.
    expect(leftovers).toEqual(['attempt-1', 'attempt-2']);
  });

  it('but for those of another grant, of another kind, and those that do not open, which stay', async () => {
    const { answered, forms, leftovers } = await send({
      answer: good('last'),
      left: [
        [{ grantId: 'another' }, 'of-another-grant'],
        [{ kind: 'revoke' }, 'to-revoke'],
        [{}, undefined],
        [{}, 'last'],
      ],
    });
    expect(forms.map((form) => form.split(':')[0])).toEqual(['rt', 'last']);
    expect(answered.outcome.kind).toBe('refreshed');
    expect(leftovers).toHaveLength(4);
  });

  it('and stays refused where none works, or a refresh token is good once', async () => {
    const left = [[{}, 'first']] as const;
    const none = await send({ answer: always(refused), left });
    expect([none.answered.outcome.kind, none.forms.length]).toEqual(['grant_refused', 2]);
    expect(none.leftovers).toEqual([]);
    const once = await send({ answer: always(refused), left, rotation: 'single-use' });
    expect([once.answered.outcome.kind, once.forms.length]).toEqual(['grant_refused', 1]);
    expect(once.leftovers).toHaveLength(1);
  });
});

it('a request that cannot be made leaves nothing in doubt', async () => {
  const { answered } = await send({ answer: always(new TypeError('a lone surrogate')) });
  expect(answered).toMatchObject({
    outcome: { kind: 'not_sent', reason: 'a lone surrogate' },
    askedScope: ['api', 'more'],
  });
});
