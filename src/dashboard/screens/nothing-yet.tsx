import type { JSX } from 'preact';
import { Command } from '../parts/command.tsx';

const CONNECT =
  'evergrant connect my-connection --provider perspio --client-id ID --subscription-key-file key.txt --perspio-tenant TENANT';
const ADD =
  'evergrant add my-connection --provider perspio --client-id ID --subscription-key-file key.txt --perspio-tenant TENANT';

/** The store is empty: says what to do. */
export function NothingYet(): JSX.Element {
  return (
    <section class="empty">
      <h1>Nothing is connected yet</h1>
      <p>
        evergrant keeps connections alive: once somebody has consented, programs get access tokens
        that work. Make the first one at the command line, and it appears here by itself.
      </p>
      <ol class="steps">
        <li>
          <strong>Connect</strong> with the registration that the provider gave you; a browser opens
          for the consent. The client secret is asked for; the file holds the key of Perspio’s API
          gateway. <Command text={CONNECT} />
          <p class="quiet">A refresh token that you have already is imported by</p>
          <Command text={ADD} />
        </li>
        <li>
          <strong>Ask for a token</strong>, in a script or any other program.{' '}
          <Command text="evergrant token my-connection" />
        </li>
      </ol>
      <p class="quiet">
        To look around first, <code>evergrant demo --keep</code> starts a daemon with connections in
        good and bad health, against servers that are pretended.
      </p>
    </section>
  );
}
