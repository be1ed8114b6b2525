import { useEffect, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { later } from '../browser.ts';

/** What came of something, told at the edge of the page and to whoever listens. */
interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isBad: boolean;
}

const SHOWN_MS = 10_000;
let last = 0;
let show: ((toast: Toast) => void) | undefined;

/** Tells the person what came of something. */
export function tell(text: string, isBad = false): void {
  show?.({ id: ++last, text, isBad });
}

/** Where it is told. */
export function Toasts(): JSX.Element {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  useEffect(() => {
    show = (toast) => {
      setToasts((before) => [...before, toast].slice(-3));
      later(SHOWN_MS, () => setToasts((before) => before.filter(({ id }) => id !== toast.id)));
    };
    return () => {
      show = undefined;
    };
  }, []);
  return (
    <div class="toasts" role="status">
      {toasts.map(({ id, text, isBad }) => (
        <p key={id} class={isBad ? 'toast bad' : 'toast'}>
          {text}
        </p>
      ))}
    </div>
  );
}
