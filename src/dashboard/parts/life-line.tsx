import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { ticksOf } from '../data/ticks.ts';
import type { LifeEvent } from '../data/types.ts';
import { counted, eventName, eventTone, type Tone } from '../words.ts';
import type { TokenTimes } from './token-life.tsx';

/** The newest events that are drawn. */
const DRAWN = 60;
const HEIGHT = 132;
const LANE_Y = 64;
const MARGIN = 14;
/** What happened just now would else lie at the edge. */
const LEAST_PAST_MS = 5_000;
/** Of width, for each instant that is written. */
const TICK_WIDTH = 110;

/** What is drawn. */
export interface LifeLineProps {
  /** History, newest first. */
  readonly life: readonly LifeEvent[];
  /** The token at hand, and the next refresh. */
  readonly times: TokenTimes;
  /** Now, by the daemon's clock. */
  readonly now: number;
}

/** The life of a connection along a line of time: generations as blocks, what happened as marks, and what is to come. */
export function LifeLine({ life, times, now }: LifeLineProps): JSX.Element {
  const [box, width] = useWidth();
  const drawn = life.slice(0, DRAWN).toReversed();
  const end = Math.max(now, times.accessExpiresAt ?? 0, times.nextRefreshAt ?? 0) + 1;
  const begin = Math.min(drawn[0]?.at ?? now, now - LEAST_PAST_MS);
  const x = (at: number): number => MARGIN + ((at - begin) / (end - begin)) * (width - 2 * MARGIN);
  return (
    <figure class="life-line">
      <div ref={box}>
        <svg width={width} height={HEIGHT} viewBox={`0 0 ${width} ${HEIGHT}`} aria-hidden="true">
          <Generations drawn={drawn} x={x} now={now} />
          <TokenAhead times={times} x={x} now={now} />
          <Axis begin={begin} end={end} x={x} width={width} />
          {drawn.map((one, i) => (
            <EventMark key={i} x={x(one.at)} event={one} />
          ))}
          <g class="now">
            <line x1={x(now)} x2={x(now)} y1={18} y2={HEIGHT - 26} />
            <text x={x(now)} y={12} text-anchor="middle">
              now
            </text>
          </g>
        </svg>
      </div>
      <figcaption class="quiet">{caption(life, times, now)}</figcaption>
    </figure>
  );
}

/** Only what is drawn is explained. */
function caption(life: readonly LifeEvent[], times: TokenTimes, now: number): string {
  const refreshes = life.filter(({ event }) => event === 'refreshed').length;
  const failures = life.filter(({ event }) => /failing|needs|uncertain/.test(eventTone(event)));
  const sum = `${counted(refreshes, 'refresh', 'refreshes')} and ${counted(failures.length, 'failure')} in the history below.`;
  const ahead = [
    (times.accessExpiresAt ?? 0) > now ? 'the block after now is what the token has left' : '',
    (times.nextRefreshAt ?? 0) > now ? 'the dashed circle is the next refresh' : '',
  ].filter((part) => part !== '');
  const marks = 'Each block is a generation of tokens, each mark something that happened';
  return `${sum} ${[marks, ...ahead].join('; ')}.`;
}

type Scale = (at: number) => number;

function Generations({
  drawn,
  x,
  now,
}: {
  readonly drawn: readonly LifeEvent[];
  readonly x: Scale;
  readonly now: number;
}): JSX.Element {
  const begins = drawn.filter((one, i) => i === 0 || one.generation !== drawn[i - 1]?.generation);
  return (
    <g class="generations">
      {begins.map(({ at, generation }, i) => {
        const [from, to] = [x(at), x(begins[i + 1]?.at ?? now)];
        const width = Math.max(1, to - from - 1);
        return (
          <g key={generation}>
            <rect
              class={generation % 2 === 0 ? 'even' : 'odd'}
              x={from}
              y={LANE_Y - 16}
              width={width}
              height={32}
            />
            {width > 26 && (
              <text x={from + width / 2} y={LANE_Y - 22} text-anchor="middle">
                {generation}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function TokenAhead({
  times,
  x,
  now,
}: {
  readonly times: TokenTimes;
  readonly x: Scale;
  readonly now: number;
}): JSX.Element {
  const { accessExpiresAt, nextRefreshAt } = times;
  const isLiving = accessExpiresAt !== null && accessExpiresAt > now;
  return (
    <g class="ahead">
      {isLiving && (
        <rect x={x(now)} y={LANE_Y - 16} width={x(accessExpiresAt) - x(now)} height={32} />
      )}
      {nextRefreshAt !== null && nextRefreshAt > now && (
        <circle cx={x(nextRefreshAt)} cy={LANE_Y} r={6} />
      )}
    </g>
  );
}

function EventMark({ x, event }: { readonly x: number; readonly event: LifeEvent }): JSX.Element {
  const tone = eventTone(event.event);
  return (
    <g class={`event ${tone}`} transform={`translate(${x.toFixed(1)} ${LANE_Y})`}>
      <title>{`${eventName(event.event)}, ${instantText(event.at, 'full')}`}</title>
      {MARKS[tone]}
    </g>
  );
}

const MARKS: Readonly<Record<Tone, JSX.Element>> = {
  well: <circle r={4} />,
  failing: <path d="M-5-5 5 5M5-5-5 5" />,
  needs: <path d="M0-8 8 0 0 8-8 0z" />,
  uncertain: <path d="M0-8 8 6H-8z" />,
  paused: <path d="M-3-6v12M3-6v12" />,
  disconnected: <path d="M-6-6h12v12h-12z" />,
  told: <circle r={2} />,
  soon: <circle r={2} />,
};

function Axis({
  begin,
  end,
  x,
  width,
}: {
  readonly begin: number;
  readonly end: number;
  readonly x: Scale;
  readonly width: number;
}): JSX.Element {
  const { ticks, style } = ticksOf(begin, end, Math.floor(width / TICK_WIDTH));
  return (
    <g class="axis">
      <line x1={MARGIN} x2={width - MARGIN} y1={HEIGHT - 26} y2={HEIGHT - 26} />
      {ticks.map((at) => (
        <g key={at}>
          <line x1={x(at)} x2={x(at)} y1={HEIGHT - 26} y2={HEIGHT - 21} />
          <text x={x(at)} y={HEIGHT - 7} text-anchor={anchorOf(x(at), width)}>
            {instantText(at, style)}
          </text>
        </g>
      ))}
    </g>
  );
}

function anchorOf(x: number, width: number): 'start' | 'middle' | 'end' {
  if (x < 32) return 'start';
  return x > width - 32 ? 'end' : 'middle';
}

function useWidth(): [{ current: HTMLDivElement | null }, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const read = (): void => setWidth(Math.max(220, element.clientWidth));
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);
  return [box, width];
}
