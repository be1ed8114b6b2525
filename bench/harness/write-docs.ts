import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { precise, show, type Report } from './report.ts';

const file = path.join(import.meta.dirname, '../../docs/benchmarks.md');
const FROM = '<!-- measured -->';
const TO = '<!-- /measured -->';

/** Puts what was measured into `docs/benchmarks.md`, between its two marks; the words around it stay. */
export function writeDocs(reports: readonly Report[], rounds: number | undefined): void {
  const page = readFileSync(file, 'utf8');
  const [before, after] = [page.split(FROM)[0], page.split(TO)[1]];
  if (before === undefined || after === undefined) throw new Error(`${file} lacks its marks`);
  const body = [conditions(rounds), table(reports), peers(reports), details(reports)].join('\n\n');
  writeFileSync(file, `${before}${FROM}\n\n${body}\n\n${TO}${after}`);
}

function conditions(rounds: number | undefined): string {
  const date = new Date().toISOString().slice(0, 10);
  const processors = cpus();
  const machine = `${String(processors.length)} × ${processors[0]?.model ?? 'unknown'}`;
  const many = rounds === undefined ? 'rounds as each row has them' : `${String(rounds)} rounds`;
  return `Measured on ${date} with Node ${process.version} on ${process.platform}, ${machine}; medians over ${many}.`;
}

function table(reports: readonly Report[]): string {
  const rows = reports.map(({ name, measure, unit, figures: [ours, limit], judged }) => {
    const shown = [ours, limit].map((figure) => (figure ? show(figure.value, unit) : ''));
    const bars = judged.map(({ is, atMost }) => `${precise(is)} (≤ ${precise(atMost)})`);
    return cells([`\`${name}\``, measure, ...shown, bars.join(', ')]);
  });
  const head = ['row', 'measured', 'evergrant', 'limit', 'ratio (bar)'];
  return [cells(head), cells(head.map(() => '---')), ...rows].join('\n');
}

function peers(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ name, unit, figures: [, limit, ...others] }) =>
    others.map((other) => {
      const ratio = limit === undefined ? '' : precise(other.value / limit.value);
      return cells([`\`${name}\``, other.name, show(other.value, unit), ratio]);
    }),
  );
  if (rows.length === 0) return '';
  const head = ['row', 'peer', 'measured', 'ratio to the limit'];
  return [cells(head), cells(head.map(() => '---')), ...rows].join('\n');
}

function details(reports: readonly Report[]): string {
  return reports
    .map(({ name, work, limit, rest }) =>
      [`**\`${name}\`**`, `- Work: ${work}.`, `- Limit: ${limit}.`, `- The rest: ${rest}.`].join(
        '\n',
      ),
    )
    .join('\n\n');
}

function cells(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}
