import type { JSX } from 'preact';
import { Command } from './command.tsx';
import { Told } from './told.tsx';

/** Why no link to consent was made. */
export type NoLinkReason =
  /** A sign-in by link is compared with the account of the connection, and that is not known. */
  | { readonly account: 'unknown' }
  /** What the daemon said. */
  | { readonly refusal: string };

interface NoLinkProps {
  readonly name: string;
  readonly reason: NoLinkReason;
}

/** Named by a refusal where the daemon has no address that stays. To whoever has reached it by a browser the rest of that sounds odd. */
const MISSING = 'daemon.listen';

/** Says why there is no link, and what leads on. */
export function NoLink({ name, reason }: NoLinkProps): JSX.Element {
  return (
    <>
      <h2 id="link-title">No link to consent to {name} can be made here</h2>
      {'account' in reason ? (
        <NoAccount name={name} />
      ) : reason.refusal.includes(MISSING) ? (
        <NoAddress name={name} />
      ) : (
        <p class="wrap">
          <Told text={reason.refusal} />
        </p>
      )}
    </>
  );
}

function NoAddress({ name }: { readonly name: string }): JSX.Element {
  return (
    <>
      <p>
        A sign-in leads back to an address that is registered at the server, and this daemon has
        none that stays: the port of this page is another after each start.
      </p>
      <p>
        Set <code>daemon.listen</code> in its settings, such as <code>127.0.0.1:7343</code>, and{' '}
        <code>daemon.publicUrl</code> for people at other machines; register that address with{' '}
        <code>/consent/callback</code> at the server, and start the daemon again.
      </p>
      <p>
        Without that, somebody at the machine itself can consent by{' '}
        <Command text={`evergrant connect ${name} --reconnect`} />
      </p>
    </>
  );
}

function NoAccount({ name }: { readonly name: string }): JSX.Element {
  return (
    <>
      <p>
        Nothing tells whose account {name} has, so evergrant could not tell whether the same one
        signs in, and would refuse it.
      </p>
      <p>
        Whoever may take any account for the right one makes a link at the command line by{' '}
        <Command text={`evergrant link ${name} --any-account`} />
      </p>
    </>
  );
}
