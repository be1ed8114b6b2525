import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import { useAppState } from './data/hooks.ts';
import { useKeptFocus } from './parts/kept-focus.ts';
import { Offline } from './parts/offline.tsx';
import { Toasts } from './parts/toasts.tsx';
import { TopBar } from './parts/top-bar.tsx';
import { usePlace, type Place } from './route.ts';
import { ClientsScreen } from './screens/clients.tsx';
import { ConnectionScreen } from './screens/connection.tsx';
import { ConnectionsScreen } from './screens/connections.tsx';
import { EndpointsScreen } from './screens/endpoints.tsx';
import { EventsScreen } from './screens/events.tsx';
import { OverviewScreen } from './screens/overview.tsx';
import { SignedOutScreen } from './screens/signed-out.tsx';
import { WebhooksScreen } from './screens/webhooks.tsx';

const TITLES: Readonly<Record<string, string>> = {
  '': 'Overview',
  connections: 'Connections',
  clients: 'Clients',
  endpoints: 'Token endpoints',
  events: 'Events',
  webhooks: 'Webhooks',
};

/** The whole page. */
export function App(): JSX.Element {
  const { phase } = useAppState();
  useKeptFocus();
  const place = usePlace();
  const main = useRef<HTMLElement>(null);
  const title = place.name === '' ? (TITLES[place.screen] ?? 'Not found') : place.name;
  useEffect(() => {
    document.title = `${phase === 'signed-out' ? 'Signed out' : title} · evergrant`;
  }, [title, phase]);
  // Whoever listens to the page hears where they have come to.
  const where = `${place.screen}/${place.name}`;
  const before = useRef(where);
  useEffect(() => {
    if (before.current !== where) main.current?.focus();
    before.current = where;
  }, [where]);
  if (phase === 'signed-out') return <SignedOutScreen />;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => skip(event, main.current)}>
        Skip to content
      </a>
      <TopBar screen={place.screen} />
      <main id="main" tabIndex={-1} ref={main}>
        <Offline />
        <Screen place={place} />
      </main>
      <Toasts />
    </>
  );
}

function skip(event: Event, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}

function Screen({ place }: { readonly place: Place }): JSX.Element {
  const { screen, name } = place;
  switch (screen) {
    case '':
      return <OverviewScreen />;
    case 'connections':
      return name === '' ? (
        <ConnectionsScreen place={place} />
      ) : (
        <ConnectionScreen key={name} name={name} />
      );
    case 'clients':
      return <ClientsScreen />;
    case 'endpoints':
      return <EndpointsScreen />;
    case 'events':
      return <EventsScreen />;
    case 'webhooks':
      return <WebhooksScreen />;
    default:
      return (
        <section class="empty">
          <h1>There is no such page</h1>
          <p>
            <a href="#/">To the overview</a>
          </p>
        </section>
      );
  }
}
