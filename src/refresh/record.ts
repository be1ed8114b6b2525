import { failpoint, sabotaged } from '#failpoints';
import { leftoverContext, tokenContext, type LeftoverLabel } from '../connection/secrets.ts';
import type { Change, View } from '../connection/decision.ts';
import type { Rotation, TokenSet } from '../connection/record.ts';
import { isRepeatable } from '../connection/schedule.ts';
import type { Facts } from '../connection/facts.ts';
import { decideVerdict, type Verdict } from '../connection/verdict.ts';
import { NotFoundError, StoreError } from '../errors.ts';
import type { TokenOutcome, TokenResponse } from '../oauth/outcome.ts';
import { adviseOn } from '../providers/advice.ts';
import { sleep } from '../system/clock.ts';
import type { Claimed } from './claimed.ts';
import { keeperName, type Engine } from './engine.ts';
import { momentFor } from './moment.ts';
import type { Answered } from './send.ts';
import type { Spill } from './spill.ts';
import {
  buildTokenSet,
  keepAccessToken,
  openRefreshToken,
  unusableTypeOf,
} from '../connection/token-set.ts';

/*
 * From the answer to the disk. Nobody is told of a token before its set is durable. When the store cannot take it, the answer stays in
 * memory and in a spill file, the claim stays held so that nobody repeats the request, and writing is tried until it works.
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

function tokenSetOf(
  engine: Engine,
  { view, profile }: Claimed,
  { outcome, sentAt, askedScope, stray }: Answered,
): TokenSet | undefined {
  if (outcome.kind !== 'refreshed') return undefined;
  const { connection } = view;
  const isClientCredentials = connection.beginning === 'client_credentials';
  const response: TokenResponse = isClientCredentials
    ? { ...outcome.tokens, refreshToken: undefined }
    : outcome.tokens;
  const { sealer } = engine.store;
  const generation = connection.generation + 1;
  const set = buildTokenSet(sealer, {
    response,
    sentAt,
    previousRefreshToken:
      response.refreshToken === undefined
        ? (stray?.refreshToken ?? openRefreshToken(sealer, connection))
        : undefined,
    previousRefreshExpiresAt: connection.tokens?.refreshExpiresAt,
    askedScope: askedScope ?? [],
    connectionId: connection.id,
    generation,
    idleLimitMs: profile.idleLimitMs,
    fraction: fractionOf(engine),
  });
  if (unusableTypeOf(response) === undefined) return set;
  return keepAccessToken(sealer, set, connection, generation);
}

function factsOf(
  engine: Engine,
  { view, profile, rotation }: Claimed,
  outcome: TokenOutcome,
): Omit<Facts, 'tokens'> {
  return {
    ...baseFacts(engine, rotation),
    graceMs: profile.graceMs,
    advice: 'refusal' in outcome ? adviseOn(profile, outcome.refusal) : undefined,
    unusableType: outcome.kind === 'refreshed' ? unusableTypeOf(outcome.tokens) : undefined,
    leftover: leftoverOf(engine, { connectionId: view.connection.id, rotation }, outcome),
  };
}

function baseFacts(
  engine: Engine,
  rotation: Rotation,
): Pick<Facts, 'now' | 'uptimeMs' | 'fraction' | 'by' | 'lastTry' | 'rotation'> {
  return {
    ...momentFor(engine.clock, rotation),
    rotation,
    fraction: fractionOf(engine),
    by: keeperName(engine),
    lastTry: engine.settings.lastTry,
  };
}

/** Chance, so that connections neither come due nor try again together. */
function fractionOf({ random }: Engine): number {
  return sabotaged('jitter') ? 0 : random.fraction();
}

/** What must not be lost of an answer that cannot become current. */
function leftoverOf(
  engine: Engine,
  { connectionId, rotation }: { readonly connectionId: string; readonly rotation: Rotation },
  outcome: TokenOutcome,
): Facts['leftover'] {
  if (outcome.kind === 'refreshed') {
    const refreshToken = outcome.tokens.refreshToken?.reveal();
    if (refreshToken === undefined) return undefined;
    return sealing(engine, connectionId, () => JSON.stringify({ refreshToken }));
  }
  if (outcome.kind !== 'ambiguous' || outcome.body === undefined) return undefined;
  // Where the old refresh token stays good, the pages of a server that fails for days are not worth their room.
  if (outcome.answer === 'failed' && isRepeatable(rotation)) return undefined;
  const { body } = outcome;
  return sealing(engine, connectionId, () => body);
}

function sealing(
  { store: { sealer } }: Engine,
  connectionId: string,
  plain: () => string | Uint8Array,
): (label: LeftoverLabel) => Uint8Array {
  return (label) => sealer.seal(plain(), leftoverContext(connectionId, label));
}

function leftoverOfSpill(
  engine: Engine,
  { attempt, tokens, connectionId }: Spill,
): Facts['leftover'] {
  const context = tokenContext(connectionId, 'refreshToken', attempt.generation + 1);
  return sealing(engine, connectionId, () => {
    const { refreshToken: sealed } = tokens;
    if (sealed === undefined) return JSON.stringify({});
    const refreshToken = Buffer.from(engine.store.sealer.open(sealed, context)).toString('utf8');
    return JSON.stringify({ refreshToken });
  });
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

/**
 * Runs the transition until it is committed. An answer with tokens is kept at all costs; anything else is given up after some tries,
 * since the next attempt finds its intent and judges it anew.
 */
async function persist(
  engine: Engine,
  connectionId: string,
  decide: (view: View) => Change<Verdict>,
  spill: Spill | undefined,
): Promise<Verdict> {
  let spilled = false;
  for (let tries = 1; ; tries++) {
    const written = await tryWrite(engine, connectionId, decide).catch(async (error: unknown) => {
      // A fault of ours loses no answer either: whoever comes next finds it.
      const isOfUse = spill !== undefined && !(error instanceof NotFoundError);
      if (isOfUse && !spilled) await trySpill(engine, spill);
      throw error;
    });
    if (!('failure' in written)) {
      if (spilled && spill !== undefined) await forgetSpill(engine, spill);
      return written.verdict;
    }
    const { failure } = written;
    if (spill === undefined && tries >= 8) throw failure;
    const message = `an answer could not be stored (${failure.message}); it is kept and tried again`;
    if (tries === 1) engine.emit('warning', { connection: undefined, message });
    if (spill !== undefined && !spilled) spilled = await trySpill(engine, spill);
    if (spilled && engine.closing.aborted) throw failure;
    await sleep(
      engine.clock,
      Math.min(50 * 2 ** tries, 5_000),
      spilled ? engine.closing : undefined,
    );
  }
}

async function tryWrite(
  engine: Engine,
  connectionId: string,
  decide: (view: View) => Change<Verdict>,
): Promise<{ readonly verdict: Verdict } | { readonly failure: StoreError }> {
  let verdict: Verdict | undefined;
  try {
    verdict = await engine.store.transition(connectionId, decide, { durable: true });
  } catch (error) {
    if (error instanceof StoreError) return { failure: error };
    throw error;
  }
  if (verdict !== undefined) return { verdict };
  throw new NotFoundError(
    'ERR_CONNECTION_UNKNOWN',
    'the connection was removed while it was refreshed',
  );
}

/** An answer is recorded whether its file can be removed or not; whoever looks after the files next finds that out. */
async function forgetSpill(engine: Engine, { attempt }: Spill): Promise<void> {
  await engine.spills.remove(attempt.attemptId).catch(() => undefined);
}

async function trySpill(engine: Engine, spill: Spill): Promise<boolean> {
  try {
    await engine.spills.write(spill);
    return true;
  } catch {
    return false;
  }
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
    outcome: outcome.kind,
    message: lastError?.message ?? outcome.kind,
    retryAt: backoff.notBefore > 0 ? backoff.notBefore : undefined,
  });
}
