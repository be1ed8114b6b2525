import type { JSX } from 'preact';
import { useAppState } from '../data/hooks.ts';
import { PERIOD_MS } from '../data/live.ts';
import { EventList } from '../parts/event-list.tsx';

/** What happens, as it happens. */
export function EventsScreen(): JSX.Element {
  const { events } = useAppState();
  return (
    <section>
      <h1>Events</h1>
      <p class="quiet">
        The newest {events.length === 0 ? '' : events.length.toLocaleString('en-GB')} of all
        connections, whichever process did it. This page asks every {PERIOD_MS / 1_000} seconds what
        changed.
      </p>
      <div class="card" role="log" aria-label="Events" aria-live="off" tabIndex={0}>
        <EventList events={events} />
      </div>
    </section>
  );
}
