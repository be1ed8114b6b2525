import { parseArgs } from 'node:util';
import { writeFileSync } from 'node:fs';
import { inWords, isMet, reportOf, type Report } from './harness/report.ts';
import { writeDocs } from './harness/write-docs.ts';
import { ROWS } from './rows.ts';

/*
 * Compares what evergrant does with the least that can be done: `npm run bench -- --rows token-1,refresh-stored --rounds 30`. Ends with 1
 * when a bar was missed. A row compares two contenders in one run on one machine, so its ratio holds elsewhere too; its times do not.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    'write-docs': { type: 'boolean' },
  },
});
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
const names = values.rows?.split(',') ?? ROWS.map(({ name }) => name);
const unknown = names.filter((name) => !ROWS.some((row) => row.name === name));
if (unknown.length > 0 || (rounds !== undefined && !(rounds >= 1))) {
  console.error('usage: npm run bench -- [--rows A,B] [--rounds N] [--json FILE] [--write-docs]');
  for (const { name, work } of ROWS) console.error(`  ${name.padEnd(18)} ${work}`);
  process.exit(2);
}

const reports: Report[] = [];
for (const row of ROWS.filter(({ name }) => names.includes(name))) {
  const report = reportOf(row, await row.run({ rounds }));
  console.log(inWords(report));
  reports.push(report);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(reports, null, 2)}\n`);
if (values['write-docs'] === true) writeDocs(reports, rounds);
process.exitCode = reports.every(isMet) ? 0 : 1;
