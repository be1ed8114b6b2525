import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { fromNow, spanText } from '../words.ts';

const HOUR_MS = 3_600_000;

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
  const at = (instant: number): string => instantText(instant, life < HOUR_MS ? 'second' : 'time');
  const isAhead = nextRefreshAt !== null && nextRefreshAt > now;
  return (
    <div class="token-life">
      <p class="reading">
        <span class={isOut ? 'figure out num' : 'figure num'}>
          {isOut ? 'Run out' : spanText(accessExpiresAt - now)}
        </span>{' '}
        <span class="quiet">
          {isOut ? fromNow(accessExpiresAt, now) : 'left of the access token'}
        </span>
      </p>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" />
        <rect
          class={share < 0.1 ? 'fill low' : 'fill'}
          x={100 - share * 100}
          width={share * 100}
          height="6"
        />
        {isAhead && nextRefreshAt < accessExpiresAt && (
          <rect
            class="tick"
            x={100 - ((accessExpiresAt - nextRefreshAt) / life) * 100}
            width="0.6"
            height="6"
          />
        )}
      </svg>
      <p class="quiet num ends">
        <span>came {at(receivedAt)}</span>
        <span>ends {at(accessExpiresAt)}</span>
      </p>
      <p>
        <span class="quiet">Next refresh</span>{' '}
        <span class="num">
          {nextRefreshAt === null
            ? 'none is planned'
            : isAhead
              ? `${fromNow(nextRefreshAt, now)}, at ${at(nextRefreshAt)}`
              : 'due now'}
        </span>
      </p>
    </div>
  );
}
