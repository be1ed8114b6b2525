import type { JSX } from 'preact';
import { Command } from '../parts/command.tsx';
import { useAppState } from '../data/hooks.ts';

/** Nobody is signed in: says how to. */
export function SignedOutScreen(): JSX.Element {
  const { message } = useAppState();
  return (
    <main class="door">
      <img src="/assets/icon.svg" alt="" width="48" height="48" />
      <h1>evergrant</h1>
      {message !== undefined && <p role="status">{message}</p>}
      <p>To sign in, run this where the daemon runs, and open the link that it prints:</p>
      <Command text="evergrant dashboard" />
      <p class="quiet">
        A link is good once, for a minute. Whoever is signed in can look at connections and manage
        them; tokens are never shown here.
      </p>
    </main>
  );
}
