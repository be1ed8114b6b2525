import { failpoint, sabotaged } from '#failpoints';
import type { Change, View } from '../connection/decision.ts';
import type { TokenSet } from '../connection/record.ts';
import { unusableTypeOf } from '../connection/token-set.ts';
import { decideVerdict, type Verdict } from '../connection/verdict.ts';
import type { TokenOutcome } from '../oauth/outcome.ts';
import { baseFacts, factsOf, leftoverOfSpill, tokenSetOf } from './answer-facts.ts';
import type { Claimed } from './claimed.ts';
import type { Engine } from './engine.ts';
import { forgetSpill, persist } from './persist.ts';
import type { Answered } from './send.ts';
import type { Spill } from './spill.ts';

/*
 * From the answer to the disk. Nobody is told of a token before its set is durable.
 */

/** Writes what an outcome means. Does not give up on a token set until it is in the store. */
export async function recordOutcome(
  engine: Engine,
  claimed: Claimed,
  answered: Answered,
): Promise<Verdict> {
  const { view, attempt } = claimed;
  const tokens = tokenSetOf(engine, claimed, answered);
  const decide = (now: View): Change<Verdict> => {
    const change = decideVerdict(now, attempt, answered.outcome, {
      ...factsOf(engine, claimed, answered.outcome),
      tokens,
    });
    const scoped = withRefreshScope(change, now, answered);
    failpoint('inside-commit');
    return scoped;
  };
  const keep = tokens === undefined ? undefined : spillOf(claimed, answered, tokens);
  if (sabotaged('store-before-serve')) announce(engine, decide(view).result, answered.outcome);
  const verdict = await persist(engine, view.connection.id, decide, keep);
  failpoint('after-commit');
  if (verdict.kind === 'recorded') await forgetStray(engine, view.connection.id, answered);
  announce(engine, verdict, answered.outcome);
  return verdict;
}

/** A stray that is current now, or followed by a newer one, need not be tried again; left behind it would do no harm. */
async function forgetStray(
  engine: Engine,
  connectionId: string,
  { stray }: Answered,
): Promise<void> {
  if (stray === undefined) return;
  await engine.store.removeLeftover(connectionId, stray.attemptId).catch(() => undefined);
}

/** Writes an answer that an earlier attempt left in a spill file, and forgets the file. */
export async function recordSpill(engine: Engine, spill: Spill): Promise<void> {
  const outcome = { kind: 'refreshed' } as TokenOutcome & { readonly kind: 'refreshed' };
  await engine.store.transition(
    spill.connectionId,
    (view): Change<unknown> => {
      if (isHeld(view, spill)) return { result: undefined };
      const profile = engine.profileOf(view.client);
      return decideVerdict(view, spill.attempt, outcome, {
        ...baseFacts(engine, profile.rotation),
        graceMs: profile.graceMs,
        advice: undefined,
        tokens: spill.tokens,
        unusableType: spill.unusableType,
        leftover: leftoverOfSpill(engine, spill),
      });
    },
    { durable: true },
  );
  await forgetSpill(engine, spill);
  engine.log.info('an answer that could not be stored was recovered from its spill file', {
    connection_id: spill.connectionId,
  });
}

/** Whether another process was faster with the answer in a file. */
function isHeld({ connection }: View, { attempt, tokens }: Spill): boolean {
  if (connection.generation !== attempt.generation + 1 || connection.tokens === undefined)
    return false;
  const { refreshToken, accessToken } = connection.tokens;
  return isSame(refreshToken, tokens.refreshToken) && isSame(accessToken, tokens.accessToken);
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}

function spillOf(claimed: Claimed, { outcome }: Answered, tokens: TokenSet): Spill {
  const unusableType = outcome.kind === 'refreshed' ? unusableTypeOf(outcome.tokens) : undefined;
  const { attempt, view } = claimed;
  return { connectionId: view.connection.id, attempt, tokens, unusableType };
}

function withRefreshScope(
  change: Change<Verdict>,
  { connection }: View,
  { refreshScope }: Answered,
): Change<Verdict> {
  if (refreshScope === undefined || change.result.kind !== 'recorded') return change;
  const scopes = { ...connection.scopes, refresh: refreshScope };
  return { ...change, connection: { ...change.connection, scopes } };
}

function announce(engine: Engine, verdict: Verdict, outcome: TokenOutcome): void {
  const { name: connection, generation, tokens, backoff, lastError } = verdict.connection;
  if (verdict.kind === 'recorded') {
    const accessExpiresAt = tokens?.accessExpiresAt ?? 0;
    engine.emit('refreshed', { connection, generation, accessExpiresAt });
    return;
  }
  if (verdict.kind === 'superseded') {
    const message = 'somebody else was faster, whose tokens count';
    engine.emit('refresh_failed', {
      connection,
      outcome: 'superseded',
      message,
      retryAt: undefined,
    });
    return;
  }
  engine.emit('refresh_failed', {
    connection,
    // What brought nothing but a refresh token that was refused since.
    outcome: outcome.kind === 'refreshed' ? 'superseded' : outcome.kind,
    message: lastError?.message ?? outcome.kind,
    retryAt: backoff.notBefore > 0 ? backoff.notBefore : undefined,
  });
}
