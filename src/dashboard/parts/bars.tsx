import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { counted } from '../words.ts';

const HEIGHT = 64;

/** How many of something fall into each of some equal stretches of time, as bars. */
export function Bars({
  counts,
  from,
  binMs,
}: {
  readonly counts: readonly number[];
  readonly from: number;
  readonly binMs: number;
}): JSX.Element {
  const most = Math.max(...counts, 1);
  const sum = counts.reduce((total, count) => total + count, 0);
  const peakAt = from + counts.indexOf(Math.max(...counts)) * binMs;
  const text =
    sum === 0
      ? 'None.'
      : `${counted(sum, 'refresh', 'refreshes')}; the most in a minute, ${most.toLocaleString('en-GB')}, at ${instantText(peakAt, 'time')}.`;
  return (
    <figure class="bars">
      <svg
        viewBox={`0 0 ${counts.length * 4} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {counts.map((count, i) => {
          const height = count === 0 ? 1 : Math.max(3, (count / most) * HEIGHT);
          return (
            <rect
              key={i}
              class={count === 0 ? 'zero' : ''}
              x={i * 4}
              y={HEIGHT - height}
              width={3}
              height={height}
            />
          );
        })}
      </svg>
      <div class="scale num" aria-hidden="true">
        <span>now</span>
        <span>{instantText(from + (counts.length / 2) * binMs, 'time')}</span>
        <span>{instantText(from + counts.length * binMs, 'time')}</span>
      </div>
      <figcaption class="quiet">{text}</figcaption>
    </figure>
  );
}
