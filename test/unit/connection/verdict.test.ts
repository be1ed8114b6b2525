import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  decideClaim,
  decideIntent,
  judgeIntent,
  type Attempt,
} from '../../../src/connection/claiming.ts';
import type { Change, View } from '../../../src/connection/decision.ts';
import type { Rotation, TokenSet } from '../../../src/connection/record.ts';
import { doubt } from '../../../src/connection/states.ts';
import type { Facts } from '../../../src/connection/facts.ts';
import { decideVerdict } from '../../../src/connection/verdict.ts';
import type { Refusal, TokenOutcome } from '../../../src/oauth/outcome.ts';
import { setSabotage } from '../../support/failpoints.ts';
import {
  LIFE_MS,
  NOW,
  UPTIME_MS,
  someAttempt,
  someFacts,
  someIntent,
  someOwner,
  someRequest,
  someTokens,
  someView,
} from '../../support/views.ts';

afterEach(() => {
  setSabotage('refused-token', false);
});

const refusal = { status: 400, error: 'invalid_grant', codes: [] } as unknown as Refusal;
const outcomes = {
  refreshed: { kind: 'refreshed' } as TokenOutcome,
  not_sent: { kind: 'not_sent', reason: 'down' },
  throttled: { kind: 'throttled', retryAfterMs: 5_000, refusal },
  ambiguous: {
    kind: 'ambiguous',
    reason: 'reset',
    status: undefined,
    retryAfterMs: undefined,
    body: undefined,
  },
  grant_refused: { kind: 'grant_refused', refusal },
  client_refused: { kind: 'client_refused', refusal },
  request_refused: { kind: 'request_refused', refusal },
  unnamed_refusal: { kind: 'unnamed_refusal', refusal },
} satisfies Record<string, TokenOutcome>;
type Kind = keyof typeof outcomes;

const kinds = Object.keys(outcomes) as Kind[];
const claim = { owner: someOwner, attemptId: 'attempt', claimedAt: NOW };

function armed(change: Parameters<typeof someView>[0] = {}): View {
  const connection = { claim, intent: someIntent(), ...change.connection };
  return someView({ ...change, connection });
}

function judge(
  kind: Kind,
  view = armed(),
  facts: Partial<Facts> = {},
  attempt: Partial<Attempt> = {},
): Change<{ readonly kind: string }> {
  const tokens = kind === 'refreshed' ? { tokens: someTokens({ receivedAt: NOW + 1 }) } : {};
  return decideVerdict(
    view,
    someAttempt(attempt),
    outcomes[kind],
    someFacts({ ...tokens, ...facts }),
  );
}

describe('every verdict', () => {
  it.each(kinds)('on %s gives the claim back', (kind) => {
    const change = judge(kind);
    expect(change.connection).toHaveProperty('claim', undefined);
  });

  it.each(kinds)('on %s leaves the refresh token where it is, or replaces it', (kind) => {
    const { connection } = judge(kind);
    if (kind !== 'refreshed') expect(connection).not.toHaveProperty('tokens');
    else expect(connection?.tokens?.refreshToken).toBeDefined();
  });

  it.each(kinds.filter((kind) => kind !== 'ambiguous'))('on %s ends the doubt it began', (kind) => {
    expect(judge(kind).connection).toHaveProperty('intent', undefined);
  });

  it.each<[Kind]>([['not_sent'], ['throttled'], ['client_refused'], ['unnamed_refusal']])(
    'on %s leaves an older doubt standing',
    (kind) => {
      const before = someIntent({ attemptId: 'before' });
      expect(judge(kind, armed(), {}, { doubt: before }).connection?.intent).toEqual(before);
    },
  );

  it.each(kinds)('on %s writes a line of history', (kind) => {
    expect(judge(kind).life?.length).toBeGreaterThan(0);
  });
});

describe('an attempt that was overtaken', () => {
  it.each(kinds)('by a newer generation changes nothing by %s', (kind) => {
    const view = armed({ connection: { generation: 2, claim: undefined, intent: undefined } });
    const change = judge(kind, view);
    expect(change.result.kind).toBe('superseded');
    expect(change.connection).toBeUndefined();
    expect(change.endpoint).toBeUndefined();
    expect(change.notices ?? []).toEqual([]);
  });

  it.each<[string, Parameters<typeof someView>[0], Kind, string]>([
    ['a newer generation', { connection: { generation: 2 } }, 'refreshed', 'stray'],
    ['another grant', { connection: { grantId: 'another' } }, 'refreshed', 'revoke'],
    ['a newer generation', { connection: { generation: 2 } }, 'ambiguous', 'quarantine'],
    ['another grant', { connection: { grantId: 'another' } }, 'ambiguous', 'quarantine'],
  ])('by %s puts away what it brought (%#)', (_what, rows, kind, left) => {
    const change = judge(kind, armed(rows), { leftover: () => Uint8Array.of(7) });
    expect(change.leftovers).toMatchObject([
      { kind: left, grantId: 'grant', attemptId: 'attempt' },
    ]);
  });

  it('gives back its own claim and nobody else\u2019s', () => {
    const mine = judge('refreshed', armed({ connection: { generation: 2 } }));
    expect(mine.connection).toStrictEqual({ claim: undefined });
    const others = { connection: { generation: 2, claim: { ...claim, attemptId: 'other' } } };
    expect(judge('refreshed', armed(others)).connection).toBeUndefined();
  });
});

describe('an attempt whose claim was taken over', () => {
  const takers = { ...claim, attemptId: 'taker' };
  const passing: readonly Kind[] = ['not_sent', 'throttled', 'ambiguous', 'unnamed_refusal'];

  it.each(kinds)('never ends the taker’s claim (%s)', (kind) => {
    const change = judge(kind, armed({ connection: { claim: takers } }));
    expect({ claim: takers, ...change.connection }.claim).toBe(takers);
  });

  it.each<[string, string, Partial<TokenSet>, 'failed' | 'recorded']>([
    ['the refresh token that was refused since', 'ERR_GRANT_REFUSED', {}, 'failed'],
    ['the one whose request was refused since', 'ERR_REQUEST_REFUSED', {}, 'failed'],
    ['the one whose answer was only lost', 'ERR_OUTCOME_UNCERTAIN', {}, 'recorded'],
    ['another one', 'ERR_GRANT_REFUSED', { fingerprint: 'new' }, 'recorded'],
    ['none', 'ERR_GRANT_REFUSED', { fingerprint: undefined }, 'recorded'],
  ])('and brings %s (%s)', (_what, code, change, kind) => {
    const advice = { actor: 'owner', code, reason: 'no', remedy: 'sign in' } as const;
    const state = { kind: 'attention', since: NOW, ...advice } as const;
    const tokens = someTokens(change);
    const stored = someTokens(change.fingerprint === 'new' ? {} : change);
    const held = { state, tokens: stored, intent: undefined };
    const paused = { ...held, state: { kind: 'paused', since: NOW, before: state } as const };
    for (const rows of [held, paused]) {
      const late = judge('refreshed', armed({ connection: { claim: takers, ...rows } }), {
        tokens,
      });
      expect(late.result.kind).toBe(kind);
      if (kind === 'failed') expect(Object.keys(late)).toEqual(['result']);
      // An order by hand is an attempt of its own, also once its claim is given back or taken over.
      for (const now of [claim, undefined, takers]) {
        const own = { ...rows, claim: now, intent: someIntent() };
        const ordered = judge('refreshed', armed({ connection: own }), { tokens });
        expect(ordered.result.kind).toBe('recorded');
      }
      const mine = judge('refreshed', armed({ connection: rows }), { tokens });
      expect(mine.result.kind).toBe('recorded');
    }
  });

  it('and brings a refused refresh token back to use, in a build that does not look what was refused since', () => {
    const advice = { actor: 'owner', reason: 'no', remedy: 'sign in' } as const;
    const state = { kind: 'attention', since: NOW, code: 'ERR_GRANT_REFUSED', ...advice } as const;
    setSabotage('refused-token', true);
    expect(judge('refreshed', armed({ connection: { claim: takers, state } }))).toMatchObject({
      result: { kind: 'recorded' },
      connection: { state: { kind: 'active' } },
    });
  });

  it.each(kinds)('counts with %s only if that is final', (kind) => {
    const change = judge(kind, armed({ connection: { claim: takers } }));
    expect(change.result.kind === 'superseded').toBe(passing.includes(kind));
  });
});

describe('a new token set', () => {
  it('ends back-off, error, doubt and every state, and tells that it works again', () => {
    const view = armed({
      connection: {
        state: { kind: 'uncertain', since: NOW, reason: 'lost', lastTry: true },
        backoff: { failures: 5, notBefore: NOW + 1e6 },
        lastError: { at: NOW, outcome: 'throttled', message: 'wait' },
      },
    });
    const change = judge('refreshed', view);
    expect(change.result.kind).toBe('recorded');
    expect(change.connection).toMatchObject({
      generation: 2,
      state: { kind: 'active' },
      backoff: { failures: 0, notBefore: 0 },
      lastError: undefined,
      intent: undefined,
    });
    expect(change.notices).toMatchObject([{ kind: 'recovered', actor: 'nobody' }]);
  });

  it('tells nobody where nothing was wrong', () => {
    expect(judge('refreshed').notices).toEqual([]);
  });

  it('under a pause is stored, and the pause stands', () => {
    const view = armed({
      connection: { state: { kind: 'paused', since: NOW, before: { kind: 'active' } } },
    });
    expect(judge('refreshed', view).connection?.state).toEqual({
      kind: 'paused',
      since: NOW,
      before: { kind: 'active' },
    });
  });

  it('that has expired at birth makes the next request wait half a minute at least', () => {
    const tokens = someTokens({ accessLifeMs: 0, accessExpiresAt: NOW });
    const change = judge('refreshed', armed(), { tokens, fraction: 0 });
    expect(change.connection?.backoff?.notBefore).toBe(NOW + 30_000);
  });
});

describe('a lost answer', () => {
  const doubtful = (rotation: Rotation, count = 1, graceMs?: number): ReturnType<typeof judge> =>
    judge('ambiguous', armed({ connection: { intent: someIntent({ count }) } }), {
      rotation,
      graceMs,
    });

  it.each<[Rotation, number, number | undefined, string | undefined]>([
    ['none', 9, undefined, undefined],
    ['reusable', 9, undefined, undefined],
    ['grace', 1, 60_000, undefined],
    ['grace', 1, undefined, 'uncertain'],
    ['single-use', 1, undefined, 'uncertain'],
    ['unknown', 1, undefined, 'uncertain'],
    ['single-use', 2, undefined, 'attention'],
    ['unknown', 2, undefined, 'attention'],
  ])('at a server of rotation %s, number %d, grace %s: %s', (rotation, count, graceMs, state) => {
    const change = doubtful(rotation, count, graceMs);
    expect(change.connection?.state?.kind).toBe(state);
    expect((change.notices ?? []).length).toBe(state === undefined ? 0 : 1);
  });

  it('is asked for again at once only the first time in a grace', () => {
    expect(doubtful('grace', 1, 60_000).connection?.backoff?.notBefore).toBe(NOW);
    expect(doubtful('grace', 2, 60_000).connection?.backoff?.notBefore).toBeGreaterThan(NOW);
    expect(doubtful('reusable').connection?.backoff?.notBefore).toBeGreaterThan(NOW);
  });

  it('keeps the bytes that came', () => {
    const change = judge('ambiguous', armed(), { leftover: () => Uint8Array.of(7) });
    expect(change.leftovers).toMatchObject([{ kind: 'quarantine' }]);
  });

  it('tells nobody twice that a connection is uncertain', () => {
    const state = { kind: 'uncertain', since: NOW, reason: 'lost', lastTry: true } as const;
    const { connection } = someView({ connection: { state, intent: someIntent() } });
    expect(doubt(connection, someFacts(), 'again')).toEqual({});
  });
});

describe('a refusal', () => {
  it('of the client condemns the client and not the connection', () => {
    const change = judge('client_refused');
    expect(change.client).toMatchObject({ refusedAt: NOW });
    expect(change.connection).not.toHaveProperty('state');
    expect(change.notices).toMatchObject([{ kind: 'client_refused', actor: 'operator' }]);
  });

  it('of a client that is refused already, or has another secret by now, is no news', () => {
    const known = judge('client_refused', armed({ client: { refusedAt: NOW - 1 } }));
    expect([known.client, known.notices]).toEqual([{}, []]);
    const late = judge('client_refused', armed({ client: { revision: 2 } }));
    expect([late.client, late.notices]).toEqual([{}, []]);
  });

  it('without a name is repeated twice, a minute apart', () => {
    let view = armed();
    const states: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const { connection = {} } = judge('unnamed_refusal', view);
      states.push(connection.state?.kind ?? connection.backoff?.notBefore);
      view = armed({ connection: { ...view.connection, ...connection, claim } });
    }
    expect(states).toEqual([NOW + 60_000, NOW + 60_000, 'attention']);
  });
});

/*
 * Any sequence of outcomes, each step as a keeper would take it: claim, judge the doubt, intent, verdict.
 */
describe('over any sequence of outcomes', () => {
  interface Run {
    view: View;
    sends: { readonly at: number; readonly generation: number; readonly grace: boolean }[];
    notices: number;
    changesOfState: number;
  }

  const graceMs = 60_000;

  function apply(run: Run, change: Change<unknown>): void {
    const before = run.view.connection.state.kind;
    run.view = {
      connection: { ...run.view.connection, ...change.connection },
      client: { ...run.view.client, ...change.client },
      endpoint: change.endpoint ?? run.view.endpoint,
    };
    run.notices += (change.notices ?? []).length;
    if (run.view.connection.state.kind !== before) run.changesOfState++;
  }

  function step(run: Run, rotation: Rotation, now: number, kind: Kind, id: string): void {
    const request = someRequest({ now, rotation, attemptId: id, demand: { kind: 'due' } });
    const claimed = decideClaim(run.view, request);
    apply(run, claimed);
    if (claimed.result.kind !== 'claimed') return;
    const { connection } = run.view;
    const { generation, intent } = connection;
    const attempt = someAttempt({ attemptId: id, generation, doubt: intent });
    const uptimeMs = UPTIME_MS + now - NOW;
    const facts = { now, uptimeMs, bootId: 'boot', rotation, graceMs, anyway: false };
    if (judgeIntent(connection, facts) !== 'send') {
      const effect = doubt(connection, someFacts({ now }), 'died');
      apply(run, {
        result: true,
        ...effect,
        connection: { ...effect.connection, claim: undefined },
      });
      return;
    }
    if (kind !== 'not_sent') {
      apply(run, decideIntent(run.view, attempt, { now, uptimeMs }));
      const grace = rotation === 'grace' && now - (intent?.firstAt ?? now) < graceMs * 0.75;
      run.sends.push({ at: now, generation, grace });
    }
    const set = someTokens({
      receivedAt: now,
      accessExpiresAt: now + LIFE_MS,
      dueAt: now + 0.7 * LIFE_MS,
    });
    const tokens = kind === 'refreshed' ? set : undefined;
    apply(
      run,
      decideVerdict(
        run.view,
        attempt,
        outcomes[kind],
        someFacts({ now, rotation, graceMs, tokens }),
      ),
    );
  }

  const rotations = fc.constantFrom<Rotation>('none', 'reusable', 'grace', 'single-use', 'unknown');
  const steps = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(4_000_000)), { maxLength: 60 });

  it('nothing is sent too often, nobody is told twice, and no generation is lost', () => {
    fc.assert(
      fc.property(rotations, steps, (rotation, sequence) => {
        const run: Run = { view: someView(), sends: [], notices: 0, changesOfState: 0 };
        let now = NOW;
        for (const [i, [kind, wait]] of sequence.entries()) {
          now += wait;
          const before = run.view.connection;
          step(run, rotation, now, kind, `attempt ${String(i)}`);
          const after = run.view.connection;
          expect(after.generation).toBeGreaterThanOrEqual(before.generation);
          expect(after.claim).toBeUndefined();
          expect(after.tokens?.refreshToken).toBeDefined();
          if (after.state.kind === 'attention') expect(after.intent).toBeUndefined();
        }
        expect(run.notices).toBeLessThanOrEqual(run.changesOfState + 1);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[Rotation]>([['single-use'], ['unknown'], ['grace']])(
    'at a server of rotation %s at most two requests of a generation may have been lost outside the grace',
    (rotation) => {
      const losing = fc.array(
        fc.tuple(fc.constantFrom<Kind>('ambiguous', 'not_sent', 'throttled'), fc.nat(4_000_000)),
        { maxLength: 60 },
      );
      fc.assert(
        fc.property(losing, (sequence) => {
          const run: Run = { view: someView(), sends: [], notices: 0, changesOfState: 0 };
          let now = NOW;
          let lost = 0;
          for (const [i, [kind, wait]] of sequence.entries()) {
            now += wait;
            const before = run.sends.length;
            step(run, rotation, now, kind, `attempt ${String(i)}`);
            const sent = run.sends[before];
            if (sent !== undefined && kind === 'ambiguous' && !sent.grace) lost++;
          }
          expect(lost).toBeLessThanOrEqual(2);
        }),
        { numRuns: 300 },
      );
    },
  );
});
