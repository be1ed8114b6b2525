import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { fromNow, spanText } from '../words.ts';

/** What is known of an access token. */
export interface TokenTimes {
  /** When it came. */
  readonly receivedAt: number | null;
  /** When it ends. */
  readonly accessExpiresAt: number | null;
  /** When the next request is made. */
  readonly nextRefreshAt: number | null;
}

/** The life of the access token, running down. */
export function TokenLife({
  times,
  now,
}: {
  readonly times: TokenTimes;
  readonly now: number;
}): JSX.Element {
  const { receivedAt, accessExpiresAt, nextRefreshAt } = times;
  if (receivedAt === null || accessExpiresAt === null)
    return <p class="strong">No access token is at hand.</p>;
  const life = Math.max(1, accessExpiresAt - receivedAt);
  const share = Math.max(0, Math.min(1, (accessExpiresAt - now) / life));
  const isOut = share === 0;
  const text = isOut
    ? `The access token ran out ${fromNow(accessExpiresAt, now)}`
    : `The access token is good for ${spanText(accessExpiresAt - now)} more`;
  return (
    <div class="token-life">
      <p class={isOut ? 'strong' : ''}>{text}</p>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" />
        <rect class={share < 0.1 ? 'fill low' : 'fill'} width={share * 100} height="6" />
      </svg>
      <p class="quiet num ends">
        <span>came {instantText(receivedAt, 'full')}</span>
        <span>ends {instantText(accessExpiresAt, 'full')}</span>
      </p>
      <p>
        Next refresh:{' '}
        {nextRefreshAt === null
          ? 'none is planned'
          : nextRefreshAt <= now
            ? 'due now'
            : `${fromNow(nextRefreshAt, now)}, at ${instantText(nextRefreshAt, 'time')}`}
      </p>
    </div>
  );
}
