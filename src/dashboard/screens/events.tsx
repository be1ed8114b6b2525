import type { JSX } from 'preact';
import { useAppState, useNow } from '../data/hooks.ts';
import { KEPT_EVENTS, PERIOD_MS } from '../data/live.ts';
import { EventList } from '../parts/event-list.tsx';

/** What happens, as it happens. */
export function EventsScreen(): JSX.Element {
  const { events } = useAppState();
  const now = useNow(60_000);
  return (
    <section>
      <h1>Events</h1>
      <p class="quiet">
        What happens to all connections, whichever process does it; the newest first, at most{' '}
        {KEPT_EVENTS} of them. New ones come every {PERIOD_MS / 1_000} seconds.
      </p>
      <div class="card" role="log" aria-label="Events" aria-live="off" tabIndex={0}>
        <EventList events={events} now={now} />
      </div>
    </section>
  );
}
