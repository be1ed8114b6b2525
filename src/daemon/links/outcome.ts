import { AuthorizationRequiredError, EvergrantError, StoreError } from '../../errors.ts';

/** What a sign-in came to, as the person at the browser is told. */
export type Outcome =
  | { readonly kind: 'connected'; readonly account: string | undefined }
  /** The person, or the server for them, said no. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Another account than that of the connection signed in, or nothing tells which. */
  | {
      readonly kind: 'wrong-account';
      readonly now: string | undefined;
      readonly before: string | undefined;
    }
  /** Nobody came back in time. */
  | { readonly kind: 'late' }
  /** It was begun anew, or the daemon ends. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly message: string };

/** Why a sign-in was ended from here. */
export class SignInEnded extends Error {
  override readonly name = 'SignInEnded';
  /** Which outcome that is. */
  readonly outcome: Extract<Outcome, { readonly kind: 'late' | 'stopped' }>;

  /** Ended for this. */
  constructor(kind: 'late' | 'stopped') {
    super(`the sign-in was ended: ${kind}`);
    this.outcome = { kind };
  }
}

/**
 * Names the outcome of a sign-in that failed.
 *
 * @param accounts - what the keeper asked about, where it asked whose account it is.
 */
export function outcomeOf(
  error: unknown,
  accounts: { readonly now: string | undefined; readonly before: string | undefined } | undefined,
): Outcome {
  if (error instanceof SignInEnded) return error.outcome;
  if (error instanceof AuthorizationRequiredError) {
    if (error.code === 'ERR_SUBJECT_MISMATCH')
      return { kind: 'wrong-account', now: accounts?.now, before: accounts?.before };
    if (error.code === 'ERR_AUTHORIZATION_DENIED')
      return { kind: 'refused', message: error.message };
  }
  // Of the store's troubles and of defects whoever runs the daemon is told, and nobody else.
  const isTold = error instanceof EvergrantError && !(error instanceof StoreError);
  const message = isTold ? error.message : 'evergrant could not finish; its log tells why';
  return { kind: 'failed', message };
}
