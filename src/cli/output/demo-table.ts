import { styleText } from 'node:util';
import type { Row } from '../../demo/demo.ts';
import { print, type Session } from '../session.ts';
import { wrap } from './wrap.ts';

type Style = 'bold' | 'dim' | 'green' | 'red';

/** A line of a column, and how it is shown. */
interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** With two spaces between them the columns fit a terminal of 80. */
const WIDTHS = [38, 31, 6] as const;
const PROGRESS_WIDTH = 78;
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
    this.#print(
      { text: 'what was done', style: 'bold' },
      { text: 'what was counted', style: 'bold' },
      { text: 'result', style: 'bold' },
    );
    const [done, counted, result] = WIDTHS.map((width): Cell => ({
      text: '─'.repeat(width),
      style: 'dim',
    }));
    this.#print(done, counted, result);
  }

  /** Shows on a terminal what is being done. */
  onScene(number: number, all: number, title: string): void {
    if (!this.#isWatched) return;
    const [text = ''] = wrap(`${String(number)}/${String(all)}  ${title}`, PROGRESS_WIDTH);
    this.#session.stderr.write(`${CLEAR_LINE}${text} …`);
  }

  /** Takes away what was being done. */
  clear(): void {
    if (this.#isWatched) this.#session.stderr.write(CLEAR_LINE);
  }

  /** Prints a row. */
  onRow({ title, counted, ok, reason }: Row): void {
    this.clear();
    const done = wrap(title, WIDTHS[0]).map((text): Cell => ({ text }));
    const found: readonly Cell[] = [
      ...wrap(counted, WIDTHS[1]).map((text) => ({ text })),
      ...wrap(reason ?? '', WIDTHS[1]).map((text): Cell => ({ text, style: 'red' })),
    ];
    const result: Cell = ok ? { text: 'ok', style: 'green' } : { text: 'FAILED', style: 'red' };
    for (let i = 0; i < Math.max(done.length, found.length); i++) {
      this.#print(done[i], found[i], i === 0 ? result : undefined);
    }
  }

  #print(...cells: readonly (Cell | undefined)[]): void {
    const shown = cells.map((cell, i) =>
      this.#show(cell, i < cells.length - 1 ? (WIDTHS[i] ?? 0) : 0),
    );
    print(this.#session, shown.join('  ').trimEnd());
  }

  #show(cell: Cell | undefined, width: number): string {
    const text = (cell?.text ?? '').padEnd(width);
    if (cell?.style === undefined) return text;
    return styleText(cell.style, text, { stream: this.#session.stdout });
  }
}
