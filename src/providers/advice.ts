import type { Refusal } from '../oauth/outcome.ts';
import type { Provider, RefusalAdvice } from './provider.ts';

/**
 * Says for people who must act on a refusal, and how. The most exact advice wins, that of a code, unless `suberror` names somebody else:
 * the vendor keeps suberrors stable and codes not. Decides nothing; what happens follows from the outcome alone.
 */
export function adviseOn(provider: Provider, refusal: Refusal): RefusalAdvice {
  const byCode = refusal.codes
    .map((code) => entryOf(provider.adviceByCode, code))
    .find((advice) => advice !== undefined);
  const bySuberror = entryOf(provider.adviceBySuberror, refusal.suberror);
  const isOverruled = bySuberror !== undefined && byCode?.actor !== bySuberror.actor;
  return (
    (isOverruled ? bySuberror : byCode) ??
    entryOf(provider.adviceByError, refusal.error) ??
    unknownRefusal(refusal)
  );
}

function unknownRefusal({ status, error }: Refusal): RefusalAdvice {
  if (status === 429 || status >= 500)
    return {
      actor: 'nobody',
      cause: `The server answered with status ${String(status)}.`,
      remedy: 'Wait; it is tried again by itself.',
    };
  return {
    actor: 'operator',
    cause:
      error === undefined
        ? `The server refused with status ${String(status)} and no OAuth error, as a gateway does.`
        : `The server refused with the error ${error}, which is not known here.`,
    remedy: 'Check the token endpoint and the settings of client and provider.',
  };
}

function entryOf<Key extends string | number>(
  table: Readonly<Record<Key, RefusalAdvice>> | undefined,
  key: Key | undefined,
): RefusalAdvice | undefined {
  return table !== undefined && key !== undefined && Object.hasOwn(table, key)
    ? table[key]
    : undefined;
}
