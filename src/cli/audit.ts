import type { Command } from 'commander';
import { isoInstant } from '../system/instant.ts';
import { printTable } from './output/table.ts';
import { printJson, tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withHome } from './with-home.ts';

interface AuditOptions {
  readonly connection?: string;
  readonly caller?: string;
  readonly refused?: boolean;
  readonly limit?: string;
  readonly json?: boolean;
}

const LIMIT = 100;

/** Adds `evergrant audit`. */
export function addAuditCommand(program: Command, session: Session): void {
  program
    .command('audit')
    .summary('see who drew what from the daemon')
    .description(
      'Tells what callers of the daemon asked for, the newest first: who, which connection, when, and why it was refused. Looking is told only where it was refused.',
    )
    .option('--connection <name>', 'of one connection')
    .option('--caller <name>', 'of one caller, as key-for named it, or owner')
    .option('--refused', 'what was refused alone')
    .option('--limit <number>', `rows at most (default: ${String(LIMIT)})`)
    .option('--json', 'print JSON, one array')
    .addHelpText('after', '\nExample:\n  evergrant audit --refused')
    .action((options: AuditOptions) => audit(session, options));
}

async function audit(session: Session, options: AuditOptions): Promise<void> {
  const { connection, caller, refused } = options;
  const limit = limitOf(options.limit);
  const draws = await withHome(session, ({ store }) =>
    store.access.draws({ connection, caller, refused, limit }),
  );
  if (options.json === true) return printJson(session, draws);
  if (draws.length === 0) return tell(session, 'nothing was drawn yet');
  const rows = draws.map((draw) => ({
    at: isoInstant(draw.at),
    caller: draw.caller,
    what: draw.what,
    connection: draw.connection ?? '-',
    times: String(draw.count),
    refused: draw.refusedBecause ?? '-',
  }));
  await printTable(session, rows, (row) => (row['refused'] === '-' ? undefined : 'yellow'));
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError('--limit takes a whole number from 1 on');
}
