import { sabotaged } from '#failpoints';
import type { TokenOutcome } from '../oauth/outcome.ts';
import type { Attempt } from './claiming.ts';
import type { Change, View } from './decision.ts';
import type { Facts } from './facts.ts';
import { putAway } from './lost-answer.ts';
import { OUTCOMES, type Rule } from './outcomes.ts';
import type { ConnectionRecord } from './record.ts';
import { standing } from './states.ts';
import { event } from './telling.ts';

/*
 * What an outcome means for a connection. The one function here runs inside the transaction that writes its verdict, on the connection as
 * the store has it at that moment; it never trusts what the attempt remembered, except to find out that it has been overtaken.
 */

/** What became of an attempt. */
export type Verdict =
  /** The token set is current. */
  | { readonly kind: 'recorded'; readonly connection: ConnectionRecord }
  /** Somebody else recorded a newer generation or grant; that one counts. */
  | { readonly kind: 'superseded'; readonly connection: ConnectionRecord }
  /** No token set; the connection says why. */
  | { readonly kind: 'failed'; readonly connection: ConnectionRecord };

/** Decides what an outcome means, and writes it. */
export function decideVerdict(
  view: View,
  attempt: Attempt,
  outcome: TokenOutcome,
  facts: Facts,
): Change<Verdict> {
  const { connection } = view;
  const isCurrent =
    sabotaged('generation-check') ||
    (connection.grantId === attempt.grantId && connection.generation === attempt.generation);
  const isMine = connection.claim?.attemptId === attempt.attemptId;
  // An attempt whose claim was taken over counts with what is final; the rest whoever took it is finding out now.
  if (!isCurrent || (!isMine && PASSING.has(outcome.kind))) {
    return overtaken(view, attempt, outcome, facts);
  }
  if (!isMine && isRefused(connection, attempt, facts) && !sabotaged('refused-token'))
    return { result: { kind: 'failed', connection } };
  const rule = OUTCOMES[outcome.kind] as Rule<never>;
  const effect = rule(view, attempt, outcome as never, facts);
  const claim = isMine ? undefined : connection.claim;
  const change = { ...effect.connection, claim };
  const after = { ...connection, ...change };
  const kind = after.generation > connection.generation ? 'recorded' : 'failed';
  return { ...effect, connection: change, result: { kind, connection: after } };
}

/** Outcomes after which the same request may have another. */
const PASSING: ReadonlySet<TokenOutcome['kind']> = new Set([
  'not_sent',
  'throttled',
  'ambiguous',
  'unnamed_refusal',
]);

/**
 * Whether what came late brings nothing but the refresh token that the server has refused since. It holds nothing that would be lost. A refusal ends
 * every doubt: one that is older than the attempt left the attempt's own standing.
 */
function isRefused(
  { state, tokens, intent }: ConnectionRecord,
  { attemptId }: Attempt,
  facts: Facts,
): boolean {
  const now = standing(state);
  if (intent?.attemptId === attemptId) return false;
  if (now.kind !== 'attention' || now.code === 'ERR_OUTCOME_UNCERTAIN') return false;
  const brought = facts.tokens?.fingerprint;
  return brought !== undefined && brought === tokens?.fingerprint;
}

function overtaken(
  view: View,
  attempt: Attempt,
  outcome: TokenOutcome,
  facts: Facts,
): Change<Verdict> {
  const { connection } = view;
  const mine = connection.claim?.attemptId === attempt.attemptId;
  const age = connection.grantId === attempt.grantId ? 'stray' : 'revoke';
  // Bytes that nobody could read are no refresh token.
  const kind = outcome.kind === 'refreshed' ? age : 'quarantine';
  const after = mine ? { ...connection, claim: undefined } : connection;
  const leftovers = putAway(kind, attempt, facts);
  return {
    result: { kind: 'superseded', connection: after },
    ...(mine && { connection: { claim: undefined } }),
    ...(leftovers.length > 0 && {
      leftovers,
      life: [
        event(
          connection,
          facts,
          'late_answer',
          `an answer of ${age === 'stray' ? 'an older generation' : 'an older grant'} arrived late and was put away`,
        ),
      ],
    }),
  };
}
