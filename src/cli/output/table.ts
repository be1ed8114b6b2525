import { styleText } from 'node:util';
import { print, type Session } from '../session.ts';
import { oneLine } from './harmless.ts';

/** Colours that a row of a table may have. */
export type RowColour = 'red' | 'yellow' | 'green';

/** Sets nothing. */
const PLAIN = '';

/** Prints rows of the same members as a table; its width never depends on the terminal, its colours do. */
export async function printTable(
  session: Session,
  rows: readonly Readonly<Record<string, string>>[],
  colourOf: (row: Readonly<Record<string, string>>) => RowColour | undefined = () => undefined,
): Promise<void> {
  const { Table } = await import('console-table-printer');
  const table = new Table({
    columns: Object.keys(rows[0] ?? {}).map((name) => ({ name, alignment: 'left' })),
    shouldDisableColors: !hasColours(session),
    // Whatever reads well is the terminal's own; the printer's white is grey on a light one.
    colorMap: { white: PLAIN },
  });
  for (const row of rows) {
    const color = colourOf(row);
    const cells = Object.entries(row).map(([name, value]) => [name, oneLine(value)] as const);
    table.addRow(Object.fromEntries(cells), color === undefined ? {} : { color });
  }
  print(session, table.render());
}

/** Whether results may be coloured: a terminal reads them, or `FORCE_COLOR` says so, and `NO_COLOR` does not forbid it. */
export function hasColours({ stdout }: Session): boolean {
  return styleText('red', '-', { stream: stdout }) !== '-';
}
