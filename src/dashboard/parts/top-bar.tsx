import type { JSX } from 'preact';
import { signOut } from '../data/live.ts';
import { useAppState } from '../data/hooks.ts';

const LINKS = [
  ['', 'Overview'],
  ['connections', 'Connections'],
  ['clients', 'Clients'],
  ['endpoints', 'Endpoints'],
  ['events', 'Events'],
] as const;

/** Name, ways to all screens, whether what is shown is current, and the way out. */
export function TopBar({ screen }: { readonly screen: string }): JSX.Element {
  return (
    <header class="top">
      <a class="brand" href="#/">
        <img src="/assets/icon.svg" alt="" width="22" height="22" />
        evergrant
      </a>
      <nav aria-label="Screens">
        {LINKS.map(([name, title]) => (
          <a key={name} href={`#/${name}`} aria-current={isAt(screen, name) ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <div class="session">
        <Pulse />
        <button type="button" class="plain" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}

/** Webhooks are a part of events. */
function isAt(screen: string, name: string): boolean {
  return (screen === 'webhooks' ? 'events' : screen) === name;
}

function Pulse(): JSX.Element {
  const { phase, message } = useAppState();
  const isOffline = phase === 'offline' || (phase === 'loading' && message !== undefined);
  const text = isOffline ? 'Not connected' : phase === 'live' ? 'Live' : 'Loading';
  const title = isOffline ? message : 'hears of each change as it happens';
  return (
    <span class={`pulse ${isOffline ? 'off' : phase}`} role="status" title={title}>
      {text}
    </span>
  );
}
