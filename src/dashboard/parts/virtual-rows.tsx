import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import { useMeasured, type View } from './measured.ts';

/** Rows beyond the edges that are drawn too. */
const SPARE = 6;

/** What a long list needs. */
export interface VirtualRowsProps<T> {
  /** All rows. */
  readonly rows: readonly T[];
  /** Name of the list, for whoever does not see it. */
  readonly label: string;
  /** The row of headings. */
  readonly head: ComponentChildren;
  /** How many columns there are. */
  readonly columns: number;
  /** Identifies a row. */
  readonly keyOf: (row: T) => string;
  /** The cells of a row. */
  readonly cells: (row: T) => ComponentChildren;
  /** Follows a row. */
  readonly onOpen: (row: T) => void;
  /** The row that had the focus is gone, and so are all others. */
  readonly onEmptied: () => void;
}

/**
 * A grid of any length of which only what is seen is drawn. The arrows, Page Up and Down, Home and End move from row to row, Enter opens one.
 * Where the row that has the focus goes away, the one in its place has it, and that is told. Rows are of one height, which the style sheet decides.
 */
export function VirtualRows<T>(props: VirtualRowsProps<T>): JSX.Element {
  const { rows, label, head, columns, keyOf } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>({ top: 0, height: 800, rowHeight: 44, bar: 0 });
  const [active, setActive] = useState<string>();
  const [gone, setGone] = useState('');
  const wantsFocus = useRef(false);
  const last = Math.max(0, rows.length - 1);
  // Rows come and go above it: the active one is known by its key, and by its place when it is gone.
  const at = active === undefined ? -1 : rows.findIndex((row) => keyOf(row) === active);
  const place = useRef(0);
  if (at >= 0) place.current = at;
  const current = Math.min(place.current, last);
  // Before anything is drawn anew.
  const isInside = box.current?.contains(document.activeElement) === true;
  useMeasured(box, setView);
  const first = Math.max(0, Math.floor(view.top / view.rowHeight) - SPARE);
  const end = Math.min(rows.length, Math.ceil((view.top + view.height) / view.rowHeight) + SPARE);
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    const row = box.current?.querySelector<HTMLElement>(`[aria-rowindex="${current + 2}"]`);
    // One that is far away is drawn when the list has come there.
    if (row === null || row === undefined) return;
    wantsFocus.current = false;
    row.focus({ preventScroll: true });
  });
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(last, to));
    const row = rows[next];
    if (row === undefined) return;
    setActive(keyOf(row));
    wantsFocus.current = true;
    scrollTo(box.current, next, view.rowHeight);
  };
  const before = useRef(rows);
  useLayoutEffect(() => {
    const isSame = before.current === rows;
    before.current = rows;
    if (!isInside || box.current?.contains(document.activeElement) === true) return;
    // It was scrolled out of sight: the keys go on from where it is.
    if (isSame) return box.current?.focus({ preventScroll: true });
    if (at >= first && at < end) return move(at);
    setGone(active ?? '');
    if (rows.length === 0) props.onEmptied();
    else move(current);
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = targetOf(event.key, current, last, Math.floor(view.height / view.rowHeight) - 1);
    if (to !== undefined) {
      event.preventDefault();
      move(to);
    }
    const row = rows[current];
    if (event.key === 'Enter' && row !== undefined) props.onOpen(row);
  };
  // Where rows become higher or lower, as on a phone that is turned, the same ones stay in sight.
  useLayoutEffect(() => {
    if (box.current !== null) box.current.scrollTop = view.top;
  }, [view.rowHeight]);
  const shown = rows.slice(first, end);
  return (
    <>
      <p class="unseen" role="status">
        {gone !== '' && `${gone} has left its place in this list.`}
      </p>
      <div
        class="grid"
        role="grid"
        aria-label={label}
        aria-rowcount={rows.length + 1}
        aria-colcount={columns}
      >
        <div role="rowgroup" class="grid-head" style={{ paddingRight: `${view.bar}px` }}>
          <div role="row" aria-rowindex={1} class="grid-row">
            {head}
          </div>
        </div>
        <div role="rowgroup" class="grid-body" ref={box} onKeyDown={onKeyDown} tabIndex={-1}>
          <div
            role="presentation"
            class="grid-space"
            style={{ height: `${rows.length * view.rowHeight}px` }}
          >
            <div
              role="presentation"
              style={{ transform: `translateY(${first * view.rowHeight}px)` }}
            >
              {shown.map((row, i) => (
                <div
                  key={keyOf(row)}
                  role="row"
                  class="grid-row"
                  aria-rowindex={first + i + 2}
                  tabIndex={isReachable(first + i, current, first, end) ? 0 : -1}
                  onFocus={() => setActive(keyOf(row))}
                  onClick={() => props.onOpen(row)}
                >
                  {props.cells(row)}
                </div>
              ))}
            </div>
          </div>
        </div>
      </div>
    </>
  );
}

/** One row is in the order of Tab: the active one, or the first that is drawn when that is out of sight. */
function isReachable(index: number, current: number, first: number, end: number): boolean {
  const isDrawn = current >= first && current < end;
  return isDrawn ? index === current : index === first;
}

function targetOf(key: string, current: number, last: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return current + 1;
    case 'ArrowUp':
      return current - 1;
    case 'PageDown':
      return current + page;
    case 'PageUp':
      return current - page;
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}

function scrollTo(box: HTMLElement | null, index: number, rowHeight: number): void {
  if (box === null) return;
  const top = index * rowHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  const bottom = top + rowHeight - box.clientHeight;
  if (bottom > box.scrollTop) box.scrollTop = bottom;
}
