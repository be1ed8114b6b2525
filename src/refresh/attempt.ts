import { failpoint, sabotaged } from '#failpoints';
import {
  decideClaim,
  decideIntent,
  decideRelease,
  isSatisfied,
  judgeIntent,
  judgeWish,
  type Attempt,
  type Demand,
  type Hindrance,
  type Wish,
} from '../connection/claiming.ts';
import type { Change, View } from '../connection/decision.ts';
import type { Claim, Owner } from '../connection/record.ts';
import { effectiveRotation, isRepeatable } from '../connection/schedule.ts';
import { doubt } from '../connection/states.ts';
import type { Verdict } from '../connection/verdict.ts';
import { NotFoundError } from '../errors.ts';
import { keeperName, type Engine } from './engine.ts';
import type { Claimed } from './claimed.ts';
import { momentFor } from './moment.ts';
import { isReadyFor, makeReady, type Ready } from './ready.ts';
import { recordOutcome, recordSpill } from './record.ts';
import { recoverAwaited } from './recover.ts';
import { prepareRenewal, sendRenewal } from './send.ts';
import { openTokenEndpoint } from '../token-endpoint/exchange.ts';

/*
 * One refresh, step by step: claim, look again under the claim, connect, intent, send, record. ARCHITECTURE.md tells why in this order.
 */

/** Somebody's wish for a refresh. */
export interface Order {
  /** What would make it needless. */
  readonly demand: Demand;
  /** A person ordered it: the connection's back-off does not count. */
  readonly byHand: boolean;
  /** A person insists in spite of the connection's state. */
  readonly anyway: boolean;
}

/** What an attempt came to. */
export type AttemptResult =
  | Hindrance
  /** It held the claim and wrote a verdict. */
  | { readonly kind: 'settled'; readonly verdict: Verdict };

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * What an attempt would come to by rows as they were just read, where nothing need be written for it: the demand is met, or it must wait. The
 * right to send is given in a transaction alone.
 */
export function foresee(engine: Engine, view: View, order: Order): AttemptResult | undefined {
  // Before its provider is asked about: what another keeper renewed can be served where this one does not know it.
  if (isSatisfied(view.connection, order.demand, engine.clock.now())) {
    return sabotaged('reread') ? undefined : { kind: 'satisfied', view };
  }
  const foreseen = judgeWish(view, wishOf(engine, view, order, undefined));
  return foreseen.kind === 'deferred' ? foreseen : undefined;
}

/**
 * Makes at most one request for a connection, if the order needs one and nobody else is at it.
 *
 * @param seen - its rows as they were read last, which may be a while ago.
 * @param onClaimed - called when nobody else holds the claim any more.
 * @throws {@link StoreError} when the store cannot be used; then nothing was sent, or the answer lies in a spill file.
 */
export async function attemptRefresh(
  engine: Engine,
  seen: View,
  order: Order,
  onClaimed: () => void,
): Promise<AttemptResult> {
  const isFree = judgeWish(seen, wishOf(engine, seen, order, undefined)).kind === 'free';
  const ready = isFree ? await makeReady(engine, seen) : undefined;
  try {
    let dead: Claim | undefined;
    for (;;) {
      failpoint('before-lock');
      const step = await claim(engine, seen.connection.id, order, dead?.attemptId, ready);
      if (step.kind === 'held') {
        const standing = await engine.store.claims.judge(step.claim.owner);
        if (standing !== 'dead' && !sabotaged('owner-check')) return step;
        dead = step.claim;
        continue;
      }
      if (step.kind === 'stopped' && (await recoverAwaited(engine, step.view))) continue;
      if (step.kind !== 'claimed') return step;
      onClaimed();
      failpoint('after-lock');
      const result = await proceed(engine, step.claimed, order, step.armed);
      if (result !== 'start_over') return result;
      dead = undefined;
    }
  } finally {
    ready?.opened.close();
  }
}

/** What came of asking for the right to send; `armed` where the intent was written with the claim. */
type ClaimStep =
  | Hindrance
  | { readonly kind: 'claimed'; readonly claimed: Claimed; readonly armed: Ready | undefined };

async function claim(
  engine: Engine,
  connectionId: string,
  order: Order,
  replaces: string | undefined,
  ready: Ready | undefined,
): Promise<ClaimStep> {
  const { store, random } = engine;
  const owner = await store.claims.identify();
  const attemptId = random.uuid();
  const step = await store.transition(
    connectionId,
    (view): Change<ClaimStep> => {
      const wish = wishOf(engine, view, order, replaces);
      const { result, ...change } = decideClaim(view, { ...wish, owner, attemptId });
      if (result.kind !== 'claimed') return { result };
      const claimed = claimedOf(engine, owner, result.view);
      const armed = isReadyFor(view, ready) && decideArming(engine, claimed, order, result.view);
      if (armed === false || !armed.result)
        return { ...change, result: { kind: 'claimed', claimed, armed: undefined } };
      const connection = { ...change.connection, ...armed.connection };
      return { ...change, connection, result: { kind: 'claimed', claimed, armed: ready } };
    },
    { durable: ready?.isFragile === true },
  );
  if (step !== undefined) return step;
  throw removedError();
}

/** Thrown where there is no connection of this id any more. */
export function removedError(): NotFoundError {
  return new NotFoundError('ERR_CONNECTION_UNKNOWN', 'the connection was removed meanwhile');
}

function wishOf(
  engine: Engine,
  { connection, client }: View,
  order: Order,
  replaces: string | undefined,
): Wish {
  const rotation = effectiveRotation(connection, engine.profileOf(client).rotation);
  const { clock, settings } = engine;
  return { ...order, replaces, now: clock.now(), rotation, policy: settings };
}

function claimedOf(engine: Engine, owner: Owner, view: View): Claimed {
  const { connection, client } = view;
  const profile = engine.profileOf(client);
  const attempt: Attempt = {
    attemptId: connection.claim?.attemptId ?? '',
    owner,
    grantId: connection.grantId,
    generation: connection.generation,
    clientRevision: client.revision,
    doubt: connection.intent,
  };
  return { attempt, view, profile, rotation: effectiveRotation(connection, profile.rotation) };
}

/** Everything under the claim. */
async function proceed(
  engine: Engine,
  claimed: Claimed,
  order: Order,
  armed: Ready | undefined,
): Promise<AttemptResult | 'start_over'> {
  try {
    if (armed !== undefined) return settled(await send(engine, claimed, armed));
    const known = await resolveDoubt(engine, claimed, order);
    if (known !== undefined) return known;
    return await exchange(engine, claimed, order);
  } catch (error) {
    await release(engine, claimed);
    throw error;
  }
}

/** What an earlier attempt left open: an answer in a spill file, or a doubt that forbids sending now. */
async function resolveDoubt(
  engine: Engine,
  claimed: Claimed,
  order: Order,
): Promise<AttemptResult | 'start_over' | undefined> {
  const { attempt, view, profile, rotation } = claimed;
  if (attempt.doubt === undefined || sabotaged('intent')) return undefined;
  const spill = await engine.spills.find(attempt.doubt.attemptId);
  if (spill !== undefined) {
    await recordSpill(engine, spill);
    await release(engine, claimed);
    return 'start_over';
  }
  const { bootId } = engine.machine;
  const { graceMs } = profile;
  const { anyway } = order;
  const moment = momentFor(engine.clock, rotation);
  const judged = { ...moment, bootId, rotation, graceMs, anyway };
  const verdict = judgeIntent(view.connection, judged);
  if (verdict === 'send') return undefined;
  const facts = { now: moment.now, by: keeperName(engine), lastTry: engine.settings.lastTry };
  const settled = await engine.store.transition(
    view.connection.id,
    (now) => {
      const { connection } = now;
      const released = decideRelease(now, attempt.attemptId, view.endpoint);
      const same = connection.intent?.attemptId === attempt.doubt?.attemptId;
      if (!released.result || !same) return { ...released, result: connection };
      const reason = 'the process that sent it ended before the answer was stored';
      const effect = doubt(connection, facts, reason);
      const change = { ...effect.connection, ...released.connection };
      return {
        ...released,
        ...effect,
        connection: change,
        result: { ...connection, ...change },
      };
    },
    { durable: true },
  );
  if (settled === undefined) return 'start_over';
  return { kind: 'settled', verdict: { kind: 'failed', connection: settled } };
}

/** Connect, intent, send, record. */
async function exchange(
  engine: Engine,
  claimed: Claimed,
  order: Order,
): Promise<AttemptResult | 'start_over'> {
  const { attempt, view, profile, rotation } = claimed;
  const { store, clock, http } = engine;
  const renewal = prepareRenewal(engine, claimed);
  const opened = await openTokenEndpoint(http, view.client.tokenEndpoint, {
    fresh: !isRepeatable(rotation),
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    insecureLoopback: profile.insecureLoopback,
  });
  if (opened.kind === 'not_sent') {
    const answered = { outcome: opened, sentAt: clock.now() };
    return settled(await telling(engine, view, () => recordOutcome(engine, claimed, answered)));
  }
  try {
    if (!isRepeatable(rotation)) await engine.spills.makeReserve();
    const owner = await store.claims.identify();
    if (owner.ownerId !== attempt.owner.ownerId || !(await arm(engine, claimed, order))) {
      await release(engine, claimed);
      return 'start_over';
    }
    return settled(await send(engine, claimed, { opened, renewal }));
  } finally {
    opened.close();
  }
}

/** Send, record: the intent is written. */
function send(
  engine: Engine,
  claimed: Claimed,
  { opened, renewal }: Pick<Ready, 'opened' | 'renewal'>,
): Promise<Verdict> {
  failpoint('after-intent');
  return telling(engine, claimed.view, async () => {
    const answered = await sendRenewal(engine, claimed, opened, renewal);
    return recordOutcome(engine, claimed, answered);
  });
}

/** Tells that a request is made; recording tells what it came to, unless nothing could be recorded. */
async function telling(
  engine: Engine,
  { connection: { name: connection, generation } }: View,
  work: () => Promise<Verdict>,
): Promise<Verdict> {
  engine.emit('refreshing', { connection, generation });
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const outcome = 'not_recorded';
    engine.emit('refresh_failed', { connection, outcome, message, retryAt: undefined });
    throw error;
  }
}

/** Writes the intent; it also proves that the store can be written. False when somebody was faster, or a grace ended while connecting. */
async function arm(engine: Engine, claimed: Claimed, order: Order): Promise<boolean> {
  const armed = await engine.store.transition(
    claimed.view.connection.id,
    (now) => decideArming(engine, claimed, order, now),
    { durable: !isRepeatable(claimed.rotation) },
  );
  return armed === true;
}

function decideArming(
  { clock, machine }: Engine,
  { attempt, profile: { graceMs }, rotation }: Claimed,
  { anyway }: Order,
  now: View,
): Change<boolean> {
  const moment = momentFor(clock, rotation);
  if (sabotaged('intent')) return { result: true };
  const facts = { ...moment, bootId: machine.bootId, rotation, graceMs, anyway };
  const maySend = judgeIntent(now.connection, facts) === 'send';
  return maySend ? decideIntent(now, attempt, moment) : { result: false };
}

/** Gives the claim back. A failure leaves it to be retried: while this process lives nobody else can take it. */
async function release(engine: Engine, { attempt, view }: Claimed): Promise<void> {
  const { store, clock, closing } = engine;
  const tryRelease = async (): Promise<void> => {
    try {
      const decide = (now: View): Change<boolean> =>
        decideRelease(now, attempt.attemptId, view.endpoint);
      await store.transition(view.connection.id, decide, { durable: false });
    } catch {
      // A closed keeper is dead to all others, who may take what it could not give back.
      if (!closing.aborted) clock.timer(1_000, () => void tryRelease(), { background: true });
    }
  };
  await tryRelease();
}

function settled(verdict: Verdict): AttemptResult {
  return { kind: 'settled', verdict };
}
