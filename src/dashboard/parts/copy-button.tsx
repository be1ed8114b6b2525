import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { copy, later } from '../browser.ts';

const SHOWN_MS = 2_000;

/** A button that copies a text, and says what came of it. */
export function CopyButton({
  text,
  what,
}: {
  readonly text: string;
  /** What it copies, for whoever does not see it. */
  readonly what: string;
}): JSX.Element {
  const [said, say] = useState('Copy');
  const onClick = async (): Promise<void> => {
    say((await copy(text)) ? 'Copied' : 'Not allowed');
    later(SHOWN_MS, () => say('Copy'));
  };
  return (
    <button type="button" aria-label={`${said}: ${what}`} onClick={() => void onClick()}>
      {said}
    </button>
  );
}
