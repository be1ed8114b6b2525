import { sabotaged } from '#failpoints';
import type { Change, View } from './decision.ts';
import { isPastEarlyExpiry } from './freshness.ts';
import { giveProbeBack, passGate, type Closed, type GatePolicy } from './gate.ts';
import type {
  Claim,
  ConnectionRecord,
  ConnectionState,
  EndpointState,
  Intent,
  Owner,
  Rotation,
} from './record.ts';
import { isRenewable, isRepeatable } from './schedule.ts';

/*
 * Who may send. Each function decides on a connection as it stands in the store, inside the transaction that writes the decision.
 */

/** What somebody wants of a connection. */
export type Demand =
  /** A newer token set than this generation; `rejected` when the API refused that one's token. */
  | { readonly kind: 'newer'; readonly generation: number; readonly rejected: boolean }
  /** Background renewal: whatever is due. */
  | { readonly kind: 'due' };

/** A wish to send, whoever has it. */
export interface Wish {
  /** The instant. */
  readonly now: number;
  /** What would make a request needless. */
  readonly demand: Demand;
  /** The attempt whose owner was found dead and whose claim may therefore be replaced. */
  readonly replaces: string | undefined;
  /** A person ordered it: the connection's back-off does not count. */
  readonly byHand: boolean;
  /** A person insists: `attention`, `uncertain` and a refused client do not stop it either. */
  readonly anyway: boolean;
  /** The provider's habit. */
  readonly rotation: Rotation;
  /** Limits of the endpoint. */
  readonly policy: GatePolicy;
}

/** A request for the right to send. */
export interface ClaimRequest extends Wish {
  /** Who asks. */
  readonly owner: Owner;
  /** A fresh id for the attempt. */
  readonly attemptId: string;
}

/** What became of a request for the right to send. */
export type ClaimResult =
  /** Send; `view` is the connection under the claim. */
  { readonly kind: 'claimed'; readonly view: View } | Hindrance;

/** Why nothing is sent. */
export type Hindrance =
  /** The stored token set already meets the demand. */
  | { readonly kind: 'satisfied'; readonly view: View }
  /** Another attempt holds the claim. */
  | { readonly kind: 'held'; readonly claim: Claim; readonly view: View }
  /** Not before `until`. */
  | (Closed & { readonly kind: 'deferred'; readonly view: View })
  /** Nothing may be sent until somebody acts, or the access token has truly expired (`uncertain`). */
  | { readonly kind: 'stopped'; readonly view: View };

/** A claim on a connection whose repetition is harmless may be taken after this time even from a living owner. */
const HARMLESS_CLAIM_MS = 300_000;
/** No stored back-off lies further ahead; one that does was written under a clock since set back, and does not count. */
const LONGEST_BACKOFF_MS = 3_900_000;
/** Possibly-sent attempts of one generation where repetition may revoke the family. */
export const MOST_DOUBTFUL_ATTEMPTS = 2;

/** Decides on a request for the right to send, and takes the claim and a slot of the endpoint's budget where it is granted. */
export function decideClaim(view: View, request: ClaimRequest): Change<ClaimResult> {
  const judged = judgeWish(view, request);
  if (judged.kind !== 'free') return { result: judged };
  const { endpoint } = judged;
  const { owner, attemptId, now } = request;
  const claim: Claim = { owner, attemptId, claimedAt: now };
  const claimed = { ...view, connection: { ...view.connection, claim }, endpoint };
  return { result: { kind: 'claimed', view: claimed }, connection: { claim }, endpoint };
}

/** Tells why nothing would be sent, or the state of the endpoint once a slot of its budget is taken. Takes nothing, and promises nothing. */
export function judgeWish(
  view: View,
  wish: Wish,
): Hindrance | { readonly kind: 'free'; readonly endpoint: EndpointState } {
  const { connection } = view;
  const { now } = wish;
  if (isSatisfied(connection, wish.demand, now) && !sabotaged('reread')) {
    return { kind: 'satisfied', view };
  }
  if (isStopped(view, wish)) return { kind: 'stopped', view };
  const { claim } = connection;
  if (claim !== undefined && !mayReplace(claim, wish)) return { kind: 'held', claim, view };
  const { notBefore } = connection.backoff;
  if (notBefore > now && notBefore <= now + LONGEST_BACKOFF_MS && !wish.byHand) {
    const because = connection.lastError?.message ?? 'an earlier attempt failed';
    return { kind: 'deferred', until: notBefore, because, isThrottled: false, view };
  }
  const gate = passGate(view.endpoint, now, wish.policy);
  if ('until' in gate) return { kind: 'deferred', ...gate, view };
  return { kind: 'free', endpoint: gate.state };
}

/** Tells whether the stored token set already is what somebody wants. */
export function isSatisfied(connection: ConnectionRecord, demand: Demand, now: number): boolean {
  const tokens = connection.tokens;
  if (demand.kind === 'newer') return connection.generation > demand.generation;
  if (tokens?.accessToken === undefined) return false;
  return connection.intent === undefined && now < tokens.dueAt && !isPastEarlyExpiry(tokens, now);
}

function mayReplace(claim: Claim, wish: Wish): boolean {
  if (claim.attemptId === wish.replaces || sabotaged('claim')) return true;
  return isRepeatable(wish.rotation) && Math.abs(wish.now - claim.claimedAt) > HARMLESS_CLAIM_MS;
}

function isStopped(view: View, wish: Wish): boolean {
  const { connection, client } = view;
  const state = connection.state;
  if (state.kind === 'disconnected' || state.kind === 'paused') return true;
  if (!isRenewable(connection)) return true;
  if (wish.anyway) return false;
  if (client.refusedAt !== undefined || state.kind === 'attention') return true;
  return state.kind === 'uncertain' && !isLastTryDue(connection, state, wish);
}

function isLastTryDue(
  connection: ConnectionRecord,
  state: ConnectionState & { readonly kind: 'uncertain' },
  wish: Wish,
): boolean {
  if (!state.lastTry) return false;
  const rejected = wish.demand.kind === 'newer' && wish.demand.rejected;
  const expiresAt = connection.tokens?.accessExpiresAt ?? 0;
  const lived = connection.tokens?.accessToken === undefined || wish.now >= expiresAt;
  return rejected || lived;
}

/** An instant by the clock that people set, and by the one that nobody can. */
export interface Moment {
  /** Wall time, epoch milliseconds. */
  readonly now: number;
  /** Milliseconds since the machine started; undefined where the server has no grace. */
  readonly uptimeMs: number | undefined;
}

/** What the intent of an earlier attempt means for a new one, once its spill has been looked for. */
export type IntentVerdict =
  /** Nothing is in doubt, or repeating is harmless, in grace, or the last try that is left: send. */
  | 'send'
  /** The refresh token may be used up and the access token may still live: wait. */
  | 'wait'
  /** The tries are used up: a person must consent again. */
  | 'give_up';

/**
 * Judges an intent found under a new claim. A grace counts from the first attempt, with a quarter of it as margin, by the clock that is
 * further, and only within the boot that wrote it.
 */
export function judgeIntent(
  connection: ConnectionRecord,
  facts: Moment & {
    readonly bootId: string;
    readonly rotation: Rotation;
    readonly graceMs: number | undefined;
    readonly anyway: boolean;
  },
): IntentVerdict {
  const intent = connection.intent;
  if (intent === undefined || isRepeatable(facts.rotation)) return 'send';
  if (isWithinGrace(intent, facts)) return 'send';
  if (facts.anyway) return 'send';
  if (intent.count >= MOST_DOUBTFUL_ATTEMPTS) return 'give_up';
  // A claim on an uncertain connection is only granted when its last try is due.
  return connection.state.kind === 'uncertain' ? 'send' : 'wait';
}

/** Tells whether the old refresh token of an attempt in doubt is still good at a server with a grace. */
export function isWithinGrace(
  intent: Intent,
  facts: Moment & {
    readonly bootId: string;
    readonly rotation: Rotation;
    readonly graceMs: number | undefined;
  },
): boolean {
  if (facts.rotation !== 'grace' || facts.graceMs === undefined) return false;
  if (intent.bootId !== facts.bootId) return false;
  const mostMs = facts.graceMs * 0.75;
  const { uptimeMs = NaN } = facts;
  const { firstUptimeMs = NaN } = intent;
  const elapsed = [facts.now - intent.firstAt, uptimeMs - firstUptimeMs];
  return elapsed.every((ms) => ms >= 0 && ms < mostMs);
}

/** One attempt as it goes through its steps. */
export interface Attempt {
  /** Names it. */
  readonly attemptId: string;
  /** Who makes it. */
  readonly owner: Owner;
  /** Grant it was based on. */
  readonly grantId: string;
  /** Generation it was based on. */
  readonly generation: number;
  /** Revision of the client's secret that it uses. */
  readonly clientRevision: number;
  /** The intent found under the claim, which its own replaces. */
  readonly doubt: Intent | undefined;
}

/**
 * Writes the intent, if the claim, grant, generation and the intent that was judged are still what the attempt was based on.
 * `result` is false when they are not: then nothing may be sent.
 */
export function decideIntent(
  view: View,
  attempt: Attempt,
  { now, uptimeMs }: Moment,
): Change<boolean> {
  const { connection } = view;
  const unchanged =
    connection.claim?.attemptId === attempt.attemptId &&
    connection.grantId === attempt.grantId &&
    connection.generation === attempt.generation &&
    connection.intent?.attemptId === attempt.doubt?.attemptId &&
    connection.state.kind !== 'paused';
  if (!unchanged) return { result: false };
  const intent: Intent = {
    attemptId: attempt.attemptId,
    grantId: attempt.grantId,
    generation: attempt.generation,
    firstAt: attempt.doubt?.firstAt ?? now,
    firstUptimeMs: attempt.doubt?.firstUptimeMs ?? uptimeMs,
    bootId: attempt.doubt?.bootId ?? attempt.owner.bootId,
    count: (attempt.doubt?.count ?? 0) + 1,
  };
  return { result: true, connection: { intent } };
}

/**
 * Gives the claim back, and the probe that was taken with it where nothing was sent.
 *
 * @param taken - the endpoint as the claim left it.
 */
export function decideRelease(
  { connection, endpoint }: View,
  attemptId: string,
  taken: EndpointState,
): Change<boolean> {
  if (connection.claim?.attemptId !== attemptId) return { result: false };
  const released = { result: true, connection: { claim: undefined } };
  const reopened =
    connection.intent?.attemptId === attemptId ? undefined : giveProbeBack(endpoint, taken);
  return reopened === undefined ? released : { ...released, endpoint: reopened };
}
