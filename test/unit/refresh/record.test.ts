import { describe, expect, it } from 'vitest';
import type { ConnectionRecord, TokenSet } from '../../../src/connection/record.ts';
import type { Refusal, TokenOutcome, TokenResponse } from '../../../src/oauth/outcome.ts';
import type { Profile } from '../../../src/providers/profile.ts';
import type { Claimed } from '../../../src/refresh/claimed.ts';
import { recordOutcome, recordSpill } from '../../../src/refresh/record.ts';
import type { Answered } from '../../../src/refresh/send.ts';
import { Secret } from '../../../src/secret.ts';
import { settle } from '../../support/fake-clock.ts';
import { fullDisk, oneRow, someSpill, type OneRow } from '../../support/one-row.ts';
import {
  NOW,
  LIFE_MS,
  someAttempt,
  someIntent,
  someOwner,
  someTokens,
  someView,
} from '../../support/views.ts';

const claim = { owner: someOwner, attemptId: 'attempt', claimedAt: NOW };
const refusal = { status: 400, error: 'invalid_grant', codes: [] } as unknown as Refusal;
const unreachable: TokenOutcome = { kind: 'not_sent', reason: 'down' };

/** A world in whose row an attempt is under way. */
function underWay(connection: Partial<ConnectionRecord> = {}): OneRow {
  return oneRow(someView({ connection: { claim, intent: someIntent(), ...connection } }));
}

function refreshed(change: Partial<TokenResponse> = {}): TokenOutcome {
  const tokens: TokenResponse = {
    ...{ accessToken: new Secret('at-2'), refreshToken: new Secret('rt-2'), idToken: undefined },
    ...{ tokenType: 'Bearer', accessLifeMs: LIFE_MS, refreshInMs: undefined },
    ...{ refreshLifeMs: undefined, scope: ['api'], warnings: [] },
    ...change,
  };
  return { kind: 'refreshed', tokens };
}

/** Records what came of the attempt that is under way, as its row was when it began. */
function record(
  world: OneRow,
  outcome: TokenOutcome,
  more: Partial<Answered> = {},
): ReturnType<typeof recordOutcome> {
  const claimed: Claimed = {
    ...{ attempt: someAttempt(), view: someView(), rotation: 'single-use' },
    profile: {} as Profile,
  };
  return recordOutcome(world.engine, claimed, { outcome, sentAt: NOW, ...more });
}

const rowOf = (world: OneRow): ConnectionRecord | undefined => world.view?.connection;

describe('of an answer with tokens', () => {
  it('nobody is told before it is on the disk', async () => {
    const world = underWay();
    expect(await record(world, refreshed())).toMatchObject({ kind: 'recorded' });
    expect(world.steps).toEqual(['row written durably', 'refreshed']);
    expect(world.events).toEqual([
      ['refreshed', { connection: 'a', generation: 2, accessExpiresAt: NOW + LIFE_MS }],
    ]);
  });

  it.each([
    ['Bearer', undefined],
    ['mac', 'mac'],
  ])(
    'of type %s that must wait in a file, it is kept whether it can be served',
    async (tokenType, unusableType) => {
      const world = underWay();
      world.trouble = fullDisk;
      void record(world, refreshed({ tokenType }));
      await settle();
      const attempt = someAttempt();
      expect(world.files.get('attempt')).toMatchObject({ connectionId: 'connection', attempt });
      expect(world.files.get('attempt')).toHaveProperty('unusableType', unusableType);
      world.trouble = undefined;
      await world.clock.advance(100);
      expect(world.files.size).toBe(0);
    },
  );

  it('the scopes that worked are asked for from now on', async () => {
    const world = underWay();
    await record(world, refreshed(), { refreshScope: ['less'] });
    expect(rowOf(world)?.scopes).toEqual({
      requested: ['api'],
      granted: ['api'],
      refresh: ['less'],
    });
  });

  it('the scopes to ask for stay as they were, where the usual ones worked', async () => {
    const scopes = { requested: ['api'], granted: ['api'], refresh: ['less'] };
    const world = underWay({ scopes });
    await record(world, refreshed());
    expect(rowOf(world)).toMatchObject({ generation: 2, scopes });
  });

  it('that came behind that of somebody else, it is told so, and nothing of the row changes', async () => {
    const world = oneRow(someView({ connection: { generation: 3 } }));
    const before = rowOf(world);
    const verdict = await record(world, refreshed(), { refreshScope: ['less'] });
    expect(verdict.kind).toBe('superseded');
    expect(rowOf(world)).toEqual(before);
    expect(world.leftovers).toMatchObject([{ kind: 'stray', attemptId: 'attempt' }]);
    expect(world.events).toEqual([
      [
        'refresh_failed',
        {
          ...{ connection: 'a', outcome: 'superseded', retryAt: undefined },
          message: 'somebody else was faster, whose tokens count',
        },
      ],
    ]);
  });
});

describe('of an answer with the refresh token that was refused since', () => {
  it('the refusal is told, and nothing of it kept', async () => {
    const advice = {
      actor: 'owner',
      code: 'ERR_GRANT_REFUSED',
      reason: 'no',
      remedy: 'r',
    } as const;
    const fingerprint = 'print of old';
    const world = oneRow(
      someView({
        connection: {
          ...{
            tokens: someTokens({ fingerprint }),
            state: { kind: 'attention', since: NOW, ...advice },
          },
          lastError: { at: NOW, outcome: 'ERR_GRANT_REFUSED', message: 'it said no' },
        },
      }),
    );
    const before = rowOf(world);
    expect(await record(world, refreshed({ refreshToken: new Secret('old') }))).toMatchObject({
      kind: 'failed',
    });
    expect([rowOf(world), world.leftovers]).toEqual([before, []]);
    expect(world.events).toEqual([
      [
        'refresh_failed',
        { connection: 'a', outcome: 'superseded', message: 'it said no', retryAt: undefined },
      ],
    ]);
  });
});

describe('of an answer without tokens', () => {
  it('why, and when the next request may be made, is told after it is on the disk', async () => {
    const world = underWay();
    expect(await record(world, unreachable)).toMatchObject({ kind: 'failed' });
    expect(world.steps).toEqual(['row written durably', 'refresh_failed']);
    const retryAt = rowOf(world)?.backoff.notBefore;
    expect(retryAt).toBeGreaterThan(NOW);
    expect(world.events).toEqual([
      ['refresh_failed', { connection: 'a', outcome: 'not_sent', message: 'down', retryAt }],
    ]);
  });

  it('no instant is told where somebody must act first', async () => {
    const world = underWay();
    await record(world, { kind: 'grant_refused', refusal });
    const message = 'The server refused with the error invalid_grant, which is not known here.';
    expect(world.events).toEqual([
      [
        'refresh_failed',
        { connection: 'a', outcome: 'grant_refused', message, retryAt: undefined },
      ],
    ]);
  });

  it('the kind stands for the reason where the row holds none', async () => {
    const world = underWay({
      state: { kind: 'uncertain', since: NOW, reason: 'no answer', lastTry: true },
    });
    const lost = { status: undefined, retryAfterMs: undefined, body: undefined };
    await record(world, { kind: 'ambiguous', reason: 'reset', ...lost });
    expect(rowOf(world)?.lastError).toBeUndefined();
    expect(world.events).toMatchObject([['refresh_failed', { message: 'ambiguous' }]]);
  });

  it('the scopes to ask for stay as they were', async () => {
    const world = underWay();
    await record(world, unreachable, { refreshScope: ['less'] });
    expect(rowOf(world)?.scopes.refresh).toBeUndefined();
  });

  it('nothing lies in a file, even if the store never takes it', async () => {
    const world = underWay();
    world.trouble = fullDisk;
    const ended = record(world, unreachable).catch((error: unknown) => error);
    await world.clock.advance(60_000);
    expect(await ended).toBe(fullDisk);
    expect(world.steps).toEqual(['warning']);
  });
});

describe('the answer in a file', () => {
  const spill = someSpill();

  it('becomes current and is on the disk before its file is removed, which the log tells', async () => {
    const world = underWay();
    world.files.set('attempt', spill);
    await recordSpill(world.engine, spill);
    expect(rowOf(world)).toMatchObject({ generation: 2, tokens: spill.tokens, intent: undefined });
    expect(world.steps).toEqual(['row written durably', 'file removed']);
    expect(world.logged).toEqual([
      [
        'an answer that could not be stored was recovered from its spill file',
        { connection_id: 'connection' },
      ],
    ]);
  });

  it.each<[string, Partial<TokenSet>]>([
    ['both tokens', {}],
    ['no refresh token', { refreshToken: undefined }],
    ['no access token', { accessToken: undefined }],
  ])(
    'with %s, that another process has recorded meanwhile, is forgotten',
    async (_what, change) => {
      const tokens = { ...spill.tokens, ...change };
      const held = { ...tokens };
      if (tokens.accessToken) held.accessToken = Uint8Array.from(tokens.accessToken);
      if (tokens.refreshToken) held.refreshToken = Uint8Array.from(tokens.refreshToken);
      const world = oneRow(someView({ connection: { generation: 2, tokens: held } }));
      const before = rowOf(world);
      await recordSpill(world.engine, { ...spill, tokens });
      expect(rowOf(world)).toEqual(before);
      expect([world.leftovers, world.life]).toEqual([[], []]);
      expect(world.steps).toEqual(['row written durably', 'file removed']);
    },
  );

  it('becomes current where the row still holds the set that it replaces, however like it', async () => {
    const world = underWay({ tokens: spill.tokens });
    await recordSpill(world.engine, spill);
    expect(rowOf(world)?.generation).toBe(2);
  });

  it.each<[string, Partial<ConnectionRecord>]>([
    ['a newer generation', { generation: 3, tokens: spill.tokens }],
    ['another access token', { tokens: { ...spill.tokens, accessToken: Uint8Array.of(9) } }],
    ['another refresh token', { tokens: { ...spill.tokens, refreshToken: Uint8Array.of(9) } }],
    ['no access token', { tokens: { ...spill.tokens, accessToken: undefined } }],
    ['no refresh token', { tokens: { ...spill.tokens, refreshToken: undefined } }],
    ['no tokens', { tokens: undefined }],
  ])('is put away where the row holds %s', async (_what, connection) => {
    const world = oneRow(someView({ connection: { generation: 2, ...connection } }));
    const before = rowOf(world);
    await recordSpill(world.engine, spill);
    expect(rowOf(world)).toEqual(before);
    expect(world.leftovers).toMatchObject([{ kind: 'stray', attemptId: 'attempt' }]);
    expect(world.life).toMatchObject([{ event: 'late_answer' }]);
  });

  it.each(['accessToken', 'refreshToken'] as const)(
    'without %s is none that the row holds with one',
    async (field) => {
      const tokens = { ...spill.tokens, [field]: undefined };
      const world = oneRow(someView({ connection: { generation: 2, tokens: spill.tokens } }));
      await recordSpill(world.engine, { ...spill, tokens });
      expect(world.leftovers).toHaveLength(1);
    },
  );

  it('stays there when the store takes nothing', async () => {
    const world = underWay();
    world.files.set('attempt', spill);
    world.trouble = fullDisk;
    await expect(recordSpill(world.engine, spill)).rejects.toBe(fullDisk);
    expect(world.files.get('attempt')).toBe(spill);
    expect(world.logged).toEqual([]);
  });
});
