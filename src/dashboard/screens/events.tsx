import type { JSX } from 'preact';
import {
  AFTER_EVENTS_MS,
  UNTOLD_MS,
  useAnswer,
  useAppState,
  useHappened,
  useNow,
} from '../data/hooks.ts';
import { KEPT_EVENTS } from '../data/live.ts';
import type { DeadLetters } from '../data/types.ts';
import { EventList } from '../parts/event-list.tsx';
import { counted } from '../words.ts';

/** What happens, as it happens. */
export function EventsScreen(): JSX.Element {
  const { events } = useAppState();
  const now = useNow(60_000);
  return (
    <section>
      <h1>Events</h1>
      <p class="quiet">
        What happens to all connections, whichever process does it; the newest first, at most{' '}
        {KEPT_EVENTS} of them. New ones come as they happen.
      </p>
      <Webhooks />
      <div class="card" role="log" aria-label="Events" aria-live="off" tabIndex={0}>
        <EventList events={events} now={now} />
      </div>
    </section>
  );
}

/** Who else is told, where somebody is. */
function Webhooks(): JSX.Element | null {
  const { data } = useAnswer<DeadLetters>(
    '/v1/dead-letters?limit=1',
    useHappened(AFTER_EVENTS_MS),
    UNTOLD_MS,
  );
  const webhooks = data?.webhooks ?? [];
  if (webhooks.length === 0) return null;
  const sum = (which: 'waiting' | 'dead'): number =>
    webhooks.reduce((count, one) => count + one[which], 0);
  return (
    <p>
      <a href="#/webhooks">{counted(webhooks.length, 'receiver')} of webhooks</a>{' '}
      {webhooks.length === 1 ? 'is' : 'are'} told of them too: {counted(sum('waiting'), 'event')} on
      their way, {counted(sum('dead'), 'event')} given up.
    </p>
  );
}
