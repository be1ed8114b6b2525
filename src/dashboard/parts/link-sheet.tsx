import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { useAppState, useNow } from '../data/hooks.ts';
import type { ConsentLink } from '../data/types.ts';
import { fromNow } from '../words.ts';
import { CopyButton } from './copy-button.tsx';
import { Shape } from './mark.tsx';
import { NoLink, type NoLinkReason } from './no-link.tsx';

/*
 * A link at which somebody consents is as good as their being asked: whoever has it can answer. It stands on the screen until the sheet is closed,
 * and nowhere else.
 */

/** What asking for a link came to. */
export type Asked =
  | {
      readonly link: ConsentLink;
      /** Id of the newest event before it was made. */
      readonly after: number;
    }
  | NoLinkReason;

interface SheetProps {
  readonly name: string;
  readonly asked: Asked;
  readonly onClose: () => void;
}

/** Shows a link to consent, or why there is none, over the page. A click beside it closes nothing: a link is shown once. */
export function LinkSheet({ name, asked, onClose }: SheetProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog class="wide" ref={dialog} aria-labelledby="link-title" onClose={onClose}>
      <div class="sheet">
        {'link' in asked ? (
          <Made name={name} link={asked.link} after={asked.after} />
        ) : (
          <NoLink name={name} reason={asked} />
        )}
        <div class="buttons">
          <button type="button" onClick={onClose}>
            Close
          </button>
        </div>
      </div>
    </dialog>
  );
}

function Made({
  name,
  link: { url, redirectUri, expiresAt },
  after,
}: {
  readonly name: string;
  readonly link: ConsentLink;
  readonly after: number;
}): JSX.Element {
  const now = useNow();
  const { events } = useAppState();
  const isDone = useRef(false);
  isDone.current ||= events.some(
    ({ id, event, connection }) => id > after && event === 'reconnected' && connection === name,
  );
  if (isDone.current) return <Done name={name} />;
  if (expiresAt <= now)
    return (
      <>
        <h2 id="link-title">This link to consent to {name} has ended</h2>
        <p>It was good until {instantText(expiresAt, 'full')}. Make another.</p>
      </>
    );
  return (
    <>
      <h2 id="link-title">A link to consent to {name}</h2>
      <p>Send it to the person who must consent, or open it here if that is you.</p>
      <div class="field">
        <input
          type="text"
          aria-label="Link to consent"
          readOnly
          // Browsers keep what was typed into fields for later; what a field began with they do not.
          defaultValue={url}
          autocomplete="off"
          spellcheck={false}
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton text={url} what="the link" />
      </div>
      <p>
        <a href={url} target="_blank" rel="noopener noreferrer">
          Open here
        </a>{' '}
        <span class="quiet">in a new tab</span>
      </p>
      <dl class="facts">
        <dt>Good until</dt>
        <dd>
          {instantText(expiresAt, 'full')}, {fromNow(expiresAt, now)}
        </dd>
        <dt>Good for</dt>
        <dd>one browser, the first that begins with it, until one sign-in succeeds</dd>
        <dt>Leads back to</dt>
        <dd class="wrap">{redirectUri}, which must be registered at the server</dd>
      </dl>
      <p class="quiet">
        Whoever has the link can answer it. It is shown this once: closed, it can only be made anew.
      </p>
    </>
  );
}

function Done({ name }: { readonly name: string }): JSX.Element {
  return (
    <>
      <h2 id="link-title">{name} is connected again</h2>
      <p role="status">
        <Shape standing="well" /> The person has consented.
      </p>
    </>
  );
}
