import type { JSX } from 'preact';
import { instantText, machineInstant } from '../browser.ts';
import { sentence } from '../data/api.ts';
import type { FeedEvent } from '../data/types.ts';
import { connectionAddress } from '../route.ts';
import { eventName, eventTone } from '../words.ts';
import { Shape } from './mark.tsx';

/** Events, a line or two each. */
export function EventList({
  events,
  now,
  isBrief = false,
}: {
  readonly events: readonly FeedEvent[];
  readonly now: number;
  /** Two lines of each at most. */
  readonly isBrief?: boolean;
}): JSX.Element {
  const today = instantText(now, 'date');
  if (events.length === 0) return <p class="quiet">None yet.</p>;
  return (
    <ol class={isBrief ? 'events brief' : 'events'} reversed>
      {events.map(({ id, at, event, connection, generation, detail }) => (
        <li key={id}>
          <time class="num quiet" dateTime={machineInstant(at)} title={instantText(at, 'full')}>
            {instantText(at, 'date') === today ? '' : `${instantText(at, 'date')}, `}
            {instantText(at, 'second')}
          </time>
          <Shape standing={eventTone(event)} />
          <span class="told">
            <span>
              {eventName(event)}{' '}
              {connection !== null && <a href={connectionAddress(connection)}>{connection}</a>}
              {event === 'refreshed' && generation !== null && (
                <span class="quiet"> generation {generation}</span>
              )}
            </span>
            {detail !== null && event !== 'refreshed' && (
              <span class="quiet detail">{sentence(detail)}</span>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
