import type { JSX } from 'preact';
import { CopyButton } from './copy-button.tsx';

/** A command to type, and a button that copies it. Lines break between its words, never behind a hyphen. */
export function Command({ text }: { readonly text: string }): JSX.Element {
  return (
    <span class="command">
      <code>
        {text.split(' ').map((word, i) => (
          <>
            {i === 0 ? '' : ' '}
            <span>{word}</span>
          </>
        ))}
      </code>
      <CopyButton text={text} what={text} />
    </span>
  );
}
