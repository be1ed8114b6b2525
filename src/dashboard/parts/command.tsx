import type { JSX } from 'preact';
import { CopyButton } from './copy-button.tsx';

/** A command to type, and a button that copies it. */
export function Command({ text }: { readonly text: string }): JSX.Element {
  return (
    <span class="command">
      <code>{text}</code>
      <CopyButton text={text} what={text} />
    </span>
  );
}
