import type { JSX } from 'preact';
import { capital, sentence } from '../data/api.ts';
import { Command } from './command.tsx';

/** A command of evergrant ends before a verb of the sentence that it stands in. */
const COMMAND =
  /(\bevergrant [a-z][a-z-]*(?:(?! shows\b) (?:--?)?[A-Za-z0-9._~@:/-]*[A-Za-z0-9])*)/;

/** A text as sentences, in which commands of evergrant stand by themselves, to be copied. */
export function Told({ text }: { readonly text: string }): JSX.Element {
  const parts = text.split(COMMAND);
  const last = parts.length - 1;
  return (
    <>
      {parts.map((part, i) => {
        if (i % 2 === 1) return <Command key={i} text={part} />;
        // What parted it from the command before it would begin a line.
        const prose = i === 0 ? capital(part.trim()) : part.replace(/^[\s.,;:]+/, '').trim();
        if (prose === '') return null;
        return i === last ? sentence(prose) : prose;
      })}
    </>
  );
}
