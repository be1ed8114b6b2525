import { sabotaged } from '#failpoints';
import type { Facts } from '../connection/facts.ts';
import type { Rotation, TokenSet } from '../connection/record.ts';
import { isRepeatable } from '../connection/schedule.ts';
import { leftoverContext, tokenContext, type LeftoverLabel } from '../connection/secrets.ts';
import {
  buildTokenSet,
  keepAccessToken,
  openRefreshToken,
  unusableTypeOf,
} from '../connection/token-set.ts';
import type { TokenOutcome, TokenResponse } from '../oauth/outcome.ts';
import { adviseOn } from '../providers/advice.ts';
import type { Claimed } from './claimed.ts';
import { keeperName, type Engine } from './engine.ts';
import { momentFor } from './moment.ts';
import type { Answered } from './send.ts';
import type { Spill } from './spill.ts';

/*
 * From an answer to what the pure decision about it looks at: all that it brings is sealed here, before anything is decided.
 */

/** The token set that an answer brings, sealed; undefined where it brings none. */
export function tokenSetOf(
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

/** What a decision about an outcome is made on, but for its token set. */
export function factsOf(
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

/** Of those facts, what no answer changes. */
export function baseFacts(
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

/** What must not be lost of an answer in a file that cannot become current. */
export function leftoverOfSpill(
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
