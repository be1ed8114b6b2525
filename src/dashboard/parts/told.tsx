import type { JSX } from 'preact';

/** Text in which commands of evergrant stand out, to be copied. */
export function Told({ text }: { readonly text: string }): JSX.Element {
  const parts = text.split(
    /(\bevergrant [a-z][a-z-]*(?: (?:--?)?[A-Za-z0-9._~@:/-]*[A-Za-z0-9])*)/,
  );
  return <>{parts.map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}
