import type { JSX } from 'preact';
import { STANDING_NAMES, type Standing, type Tone } from '../words.ts';

/** Each has a shape of its own, for whoever does not see its colour. */
const SHAPES: Readonly<Record<Tone, JSX.Element>> = {
  well: <path d="M3 8.5 6.5 12 13 4.5" />,
  needs: <path d="M8 2.5v6.5M8 12.6v.2" />,
  uncertain: (
    <path d="M5.2 5.6C5.4 3.8 6.6 3 8 3s2.8 1 2.8 2.5C10.800 7.500 8 7.600 8 9.500M8 12.700v.1" />
  ),
  failing: <path d="M13 5.500A5.500 5.500 0 1 0 13.500 9M13.300 2.200v3.500h-3.500" />,
  paused: <path d="M5.500 3.500v9M10.500 3.500v9" />,
  disconnected: <path d="M4 4l8 8M12 4l-8 8" />,
  told: <path d="M2.5 4h11v8h-11zM2.500 4.500 8 8.500l5.500-4" />,
  soon: <path d="M8 2.500a5.500 5.500 0 1 0 .01 0M8 5v3.200l2 1.300" />,
};

/** The shape of a tone, which says nothing by itself. */
export function Shape({ standing }: { readonly standing: Tone }): JSX.Element {
  return (
    <svg class={`shape ${standing}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {SHAPES[standing]}
    </svg>
  );
}

/** A standing by shape and word. */
export function Mark({ standing }: { readonly standing: Standing }): JSX.Element {
  return (
    <span class={`mark ${standing}`}>
      <Shape standing={standing} />
      {STANDING_NAMES[standing]}
    </span>
  );
}
