import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { copy, later } from '../browser.ts';

const SHOWN_MS = 2_000;

/** A command to type, and a button that copies it. */
export function Command({ text }: { readonly text: string }): JSX.Element {
  const [said, say] = useState('Copy');
  const onClick = async (): Promise<void> => {
    say((await copy(text)) ? 'Copied' : 'Not allowed');
    later(SHOWN_MS, () => say('Copy'));
  };
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" aria-label={`${said}: ${text}`} onClick={() => void onClick()}>
        {said}
      </button>
    </span>
  );
}
