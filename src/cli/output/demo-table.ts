import { styleText } from 'node:util';
import type { Row } from '../../demo/demo.ts';
import { print, type Session } from '../session.ts';
import { wrap } from './wrap.ts';

type Style = 'bold' | 'dim' | 'green' | 'red';

/** A line of a cell, and how it is shown. */
interface Line {
  readonly text: string;
  readonly style?: Style;
}

/** Number, what was done, what was counted, result; with two spaces between them they fit a terminal of 80 columns. */
const WIDTHS = [2, 32, 33, 6] as const;
const PROGRESS_WIDTH = 76;
/** A space and the sign. */
const ELLIPSIS_WIDTH = 2;
const CLEAR_LINE = '\r\u001b[K';

/** The rows of the demo as a table that grows, and under it, on a terminal, what is being done. */
export class DemoTable {
  readonly #session: Session;
  readonly #isWatched: boolean;

  /** Prints nothing yet. */
  constructor(session: Session) {
    this.#session = session;
    this.#isWatched = 'isTTY' in session.stderr && session.stderr.isTTY === true;
  }

  /** Prints the head. */
  begin(): void {
    print(this.#session, 'evergrant at an emulated Perspio. All of it is on this machine.\n');
    const names = ['what was done', 'what was counted', 'result'];
    this.#print([undefined, ...names.map((text): Line => ({ text, style: 'bold' }))]);
    this.#print(WIDTHS.map((width) => ({ text: '─'.repeat(width), style: 'dim' })));
  }

  /** Shows on a terminal what is being done. */
  onScene(number: number, all: number, title: string): void {
    if (!this.#isWatched) return;
    const width = this.#progressWidth();
    const [text = ''] = wrap(`${String(number)} of ${String(all)}: ${title}`, width);
    this.#session.stderr.write(`${CLEAR_LINE}${text.slice(0, width)} …`);
  }

  /** Takes away what is shown as being done. */
  clear(): void {
    if (this.#isWatched) this.#session.stderr.write(CLEAR_LINE);
  }

  /** Prints a row. */
  onRow(number: number, { title, counted, ok, reason = '' }: Row): void {
    this.clear();
    const cells: readonly (readonly Line[])[] = [
      [{ text: String(number).padStart(WIDTHS[0]), style: 'dim' }],
      lines(title, WIDTHS[1]),
      [...lines(counted, WIDTHS[2]), ...lines(reason, WIDTHS[2], 'red')],
      [ok ? { text: 'ok', style: 'green' } : { text: 'FAILED', style: 'red' }],
    ];
    const height = Math.max(...cells.map(({ length }) => length));
    for (let i = 0; i < height; i++) this.#print(cells.map((cell) => cell[i]));
    print(this.#session, '');
  }

  /** What is broken into two lines is not taken away again. A terminal that says it has no columns is taken for a usual one. */
  #progressWidth(): number {
    const columns: unknown = Reflect.get(this.#session.stderr, 'columns');
    if (typeof columns !== 'number' || columns <= 0) return PROGRESS_WIDTH;
    return Math.max(1, Math.min(PROGRESS_WIDTH, columns - ELLIPSIS_WIDTH - 1));
  }

  #print(row: readonly (Line | undefined)[]): void {
    const cells = row.map((line, i) => {
      const text = (line?.text ?? '').padEnd(i < row.length - 1 ? (WIDTHS[i] ?? 0) : 0);
      if (line?.style === undefined) return text;
      return styleText(line.style, text, { stream: this.#session.stdout });
    });
    print(this.#session, cells.join('  ').trimEnd());
  }
}

function lines(text: string, width: number, style?: Style): readonly Line[] {
  return wrap(text, width).map((part) => ({ text: part, ...(style !== undefined && { style }) }));
}
