import { isRepeatable } from '../connection/schedule.ts';
import { lateRefreshToken } from '../connection/late-token.ts';
import type { Leftover } from '../connection/decision.ts';
import { StoreError } from '../errors.ts';
import type { TokenOutcome } from '../oauth/outcome.ts';
import { checkAuthenticatedOnce } from '../oauth/token-request.ts';
import type { Secret } from '../secret.ts';
import { openTokenEndpoint, type OpenTokenEndpoint } from '../token-endpoint/exchange.ts';
import type { Clock } from '../system/clock.ts';
import type { Claimed } from './claimed.ts';
import type { Engine } from './engine.ts';
import { buildRenewal, grantedScope, type RenewalRequest } from './request.ts';
import { openRefreshToken } from '../connection/token-set.ts';

/** An answer, and what of the request must be known to record it. */
export interface Answered {
  /** What it came to. */
  readonly outcome: TokenOutcome;
  /** Wall time just before sending; lives count from here. */
  readonly sentAt: number;
  /** Scopes asked for. */
  readonly askedScope?: readonly string[];
  /** Set when the granted scopes worked where the usual ones lacked consent: ask for them from now on. */
  readonly refreshScope?: readonly string[];
  /** Set when a refresh token that had been put away was used instead of the current one. */
  readonly stray?: { readonly attemptId: string; readonly refreshToken: Secret };
}

/**
 * An answer is read for this long after every caller has stopped waiting: it may hold the only copy of a refresh token.
 */
const ANSWER_TIMEOUT_MS = 300_000;

/** A request ready to be sent, and the refresh token in it. */
export interface Renewal extends RenewalRequest {
  /** Undefined for client credentials. */
  readonly refreshToken: Secret | undefined;
}

/**
 * Opens the secrets and builds the request, before anything is at stake.
 *
 * @throws {@link StoreError} when a secret does not open; {@link ClientRejectedError} when the client's is missing;
 *   {@link ConfigurationError} when the request cannot be made.
 */
export function prepareRenewal(
  engine: Engine,
  claimed: Pick<Claimed, 'view' | 'profile'>,
): Renewal {
  const refreshToken = openRefreshToken(engine.store.sealer, claimed.view.connection);
  const prepared = renewal(engine, claimed, refreshToken);
  // Once a connection is made, a request that cannot be written down would be told as a failure of the server.
  checkAuthenticatedOnce(prepared.request);
  return { ...prepared, refreshToken };
}

/**
 * Sends the renewal over the opened connection. Where the provider's habits make that harmless, two refusals are answered by further
 * requests in the same attempt: missing consent, by the scopes granted; a refused grant, by each refresh token that was put away.
 */
export async function sendRenewal(
  engine: Engine,
  claimed: Claimed,
  opened: OpenTokenEndpoint,
  { refreshToken, ...request }: Renewal,
): Promise<Answered> {
  const first = await sendOne(engine, claimed, opened, request);
  if (first.outcome.kind !== 'grant_refused' || !isRepeatable(claimed.rotation)) return first;
  if (refreshToken === undefined) return first;
  const consent = await retryWithGrantedScope(engine, claimed, first, refreshToken);
  return consent ?? (await retryWithStrays(engine, claimed)) ?? first;
}

function renewal(
  engine: Engine,
  { view, profile }: Pick<Claimed, 'view' | 'profile'>,
  refreshToken: Secret | undefined,
  scope?: readonly string[],
): RenewalRequest {
  return buildRenewal(engine.store.sealer, { ...view, profile }, refreshToken, scope);
}

async function sendOne(
  engine: Engine,
  { attempt, profile, rotation }: Claimed,
  opened: OpenTokenEndpoint,
  { request, askedScope }: RenewalRequest,
): Promise<Answered> {
  const { clock } = engine;
  const sent = { wall: clock.now(), monotonic: clock.monotonic() };
  const options = {
    dialect: profile.dialect,
    timeoutMs: ANSWER_TIMEOUT_MS,
    now: () => clock.now(),
    requestId: attempt.attemptId,
    signal: isRepeatable(rotation) ? engine.leaving : undefined,
  };
  try {
    const outcome = await opened.send(request, options);
    return { outcome, sentAt: sentAtNow(clock, sent), askedScope };
  } catch (error) {
    // The request could not be encoded: nothing was sent, so nothing may stay in doubt.
    const reason = error instanceof Error ? error.message : String(error);
    return { outcome: { kind: 'not_sent', reason }, sentAt: sent.wall, askedScope };
  }
}

/** The instant of sending, as the clock tells time now: it may have been set back since. */
function sentAtNow(
  clock: Clock,
  sent: { readonly wall: number; readonly monotonic: number },
): number {
  const elapsed = clock.monotonic() - sent.monotonic;
  return Math.min(sent.wall, Math.floor(clock.now() - elapsed));
}

async function retryWithGrantedScope(
  engine: Engine,
  claimed: Claimed,
  first: Answered,
  refreshToken: Secret,
): Promise<Answered | undefined> {
  if (claimed.profile.retryWithGrantedScope !== true || !lacksConsent(first.outcome)) {
    return undefined;
  }
  const scope = grantedScope(claimed.view.connection);
  const asked = new Set(first.askedScope);
  if (scope.length === asked.size && scope.every((token) => asked.has(token))) return undefined;
  const again = await resend(engine, claimed, renewal(engine, claimed, refreshToken, scope));
  if (isRefusal(again.outcome)) return undefined;
  return again.outcome.kind === 'refreshed' ? { ...again, refreshScope: scope } : again;
}

/** Whether the server said no to this request, so that another may fare better; anything else must be waited for or mended first. */
function isRefusal({ kind }: TokenOutcome): boolean {
  return kind === 'grant_refused' || kind === 'request_refused' || kind === 'unnamed_refusal';
}

function lacksConsent(outcome: TokenOutcome): boolean {
  if (outcome.kind !== 'grant_refused') return false;
  const { error, suberror } = outcome.refusal;
  return error === 'consent_required' || suberror === 'consent_required';
}

async function retryWithStrays(engine: Engine, claimed: Claimed): Promise<Answered | undefined> {
  const { store } = engine;
  const { id, grantId } = claimed.view.connection;
  const leftovers = await store.leftovers(id);
  for (const stray of leftovers) {
    if (stray.kind !== 'stray' || stray.grantId !== grantId) continue;
    const { attemptId } = stray;
    const refreshToken = openStray(engine, id, stray);
    if (refreshToken === 'damaged') continue;
    if (refreshToken !== undefined) {
      const again = await resend(engine, claimed, renewal(engine, claimed, refreshToken));
      if (!isRefusal(again.outcome)) return { ...again, stray: { attemptId, refreshToken } };
    }
    await store.removeLeftover(id, attemptId);
  }
  return undefined;
}

/** What is damaged is of no use, and stays where it is: it must not keep the others from being tried. */
function openStray(
  engine: Engine,
  connectionId: string,
  stray: Leftover,
): Secret | 'damaged' | undefined {
  try {
    return lateRefreshToken(engine.store.sealer, connectionId, stray);
  } catch (error) {
    if (error instanceof StoreError) return 'damaged';
    throw error;
  }
}

async function resend(
  engine: Engine,
  claimed: Claimed,
  request: RenewalRequest,
): Promise<Answered> {
  const opened = await openTokenEndpoint(engine.http, request.request.tokenEndpoint, {
    fresh: false,
    connectTimeoutMs: 10_000,
    insecureLoopback: claimed.profile.insecureLoopback,
  });
  if (opened.kind === 'open') return sendOne(engine, claimed, opened, request);
  return { outcome: opened, sentAt: engine.clock.now() };
}
