import type { JSX } from 'preact';
import { useAppState, useNow } from '../data/hooks.ts';
import { spanText } from '../words.ts';

/** Says on every screen that what stands there is old, how old, and why. */
export function Offline(): JSX.Element | null {
  const { phase, message, heardAt } = useAppState();
  const now = useNow();
  if (phase !== 'offline' || heardAt === 0) return null;
  return (
    <p class="banner">
      {message} What you see is {spanText(now - heardAt)} old.
    </p>
  );
}
