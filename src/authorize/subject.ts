import { AuthorizationRequiredError } from '../errors.ts';
import type { Subject } from '../connection/record.ts';
import type { ConsentPrompt } from '../keeper-api.ts';

/**
 * Makes sure, before a grant is renewed in place, that the same account consented. Whatever is not provably the same must be confirmed.
 *
 * @param before - the account of the connection; undefined where it was never told.
 * @param now - the account that consented just now; undefined where no id token tells.
 * @throws {@link AuthorizationRequiredError} `ERR_SUBJECT_MISMATCH` when it is another account, or nobody confirms that it is the same.
 */
export async function checkSubject(
  before: Subject | undefined,
  now: Subject | undefined,
  prompt: Pick<ConsentPrompt, 'confirmSubject'> | undefined,
): Promise<void> {
  if (isSameSubject(before, now)) return;
  const question = { before: nameOf(before, now), now: nameOf(now, before) };
  if ((await prompt?.confirmSubject?.(question)) === true) return;
  throw new AuthorizationRequiredError('ERR_SUBJECT_MISMATCH', explain(before, now));
}

/** Whether both are known and are one account. A missing issuer on one side is taken for the other's. */
export function isSameSubject(one: Subject | undefined, other: Subject | undefined): boolean {
  if (one === undefined || one.id !== other?.id) return false;
  return one.issuer === undefined || other.issuer === undefined || one.issuer === other.issuer;
}

/** The name that people recognise; with the id where the other account is called the same. */
function nameOf(subject: Subject | undefined, other: Subject | undefined): string | undefined {
  const { display, id, issuer } = subject ?? {};
  if (display === undefined || display !== other?.display) return display ?? id;
  return id === other.id
    ? `${display} (of ${issuer ?? 'an unknown server'})`
    : `${display} (${id ?? ''})`;
}

function explain(before: Subject | undefined, now: Subject | undefined): string {
  if (before === undefined || now === undefined) {
    const unknown = now === undefined ? 'which account signed in' : 'which account it was before';
    return `nothing tells ${unknown}; confirm the account, or add the scope openid. Nothing was changed`;
  }
  return `${String(nameOf(now, before))} signed in, but the connection belongs to ${String(nameOf(before, now))}; sign in as that account, or confirm the change. Nothing was changed`;
}
