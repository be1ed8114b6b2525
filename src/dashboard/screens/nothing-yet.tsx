import type { JSX } from 'preact';

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
          for the consent:
          <pre>
            <code>
              evergrant connect my-connection --provider perspio --client-id ID --secret-stdin
            </code>
          </pre>
        </li>
        <li>
          Or <strong>import</strong> a refresh token that you have:
          <pre>
            <code>evergrant add my-connection --provider perspio --client-id ID</code>
          </pre>
        </li>
        <li>
          Then let a program <strong>ask for a token</strong>:
          <pre>
            <code>evergrant token my-connection</code>
          </pre>
        </li>
      </ol>
    </section>
  );
}
