import type { Outcome, Row, Unit } from './row.ts';

/** A row and what it came to. */
export interface Report extends Outcome, Omit<Row, 'run'> {}

/** Joins the two. */
export function reportOf(row: Row, outcome: Outcome): Report {
  const { name, work, limit, measure, unit, rest } = row;
  return { name, work, limit, measure, unit, rest, ...outcome };
}

/** Whether every bar of a row was met. */
export function isMet({ judged }: Report): boolean {
  return judged.every(({ is, atMost }) => is <= atMost);
}

/** A row in one line. */
export function inWords(report: Report): string {
  const figures = report.figures.map(({ name, value }) => `${name} ${show(value, report.unit)}`);
  const verdict = isMet(report) ? 'met   ' : 'MISSED';
  const bars = report.judged.map(
    ({ what, is, atMost }) => `${what} ${precise(is)} (bar ${precise(atMost)})`,
  );
  return `${verdict} ${report.name.padEnd(18)} ${bars.join(', ')}; ${figures.join(', ')}`;
}

/** A figure with its unit. */
export function show(value: number, unit: Unit): string {
  return `${precise(value)} ${unit}`;
}

/** As many digits as mean something. */
export function precise(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
