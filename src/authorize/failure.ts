import {
  AuthorizationRequiredError,
  OutcomeUncertainError,
  type EvergrantError,
} from '../errors.ts';
import { outcomeError, type FailedOutcome } from '../oauth/outcome-error.ts';

/** The error for a sign-in whose token request failed: what a refresh calls a dead grant or a lost answer means "start over" here. */
export function signInError(outcome: FailedOutcome, nowMs: number): EvergrantError {
  const error = outcomeError(outcome, { nowMs });
  if (outcome.kind === 'grant_refused') {
    const { refusal = { status: outcome.refusal.status } } = error;
    const said = [refusal.error, refusal.errorDescription].filter(Boolean).join(': ');
    const message = `the server refused the sign-in (${said}); start over`;
    return new AuthorizationRequiredError('ERR_AUTHORIZATION_FAILED', message, { refusal });
  }
  if (outcome.kind === 'ambiguous') {
    const message = `the answer to the sign-in was lost (${outcome.reason}); a code works once, so start over`;
    return new OutcomeUncertainError('ERR_OUTCOME_UNCERTAIN', message);
  }
  return error;
}
