import type { Command } from 'commander';
import type { ConnectionStatus } from '../keeper-api.ts';
import { dueTime, relativeTime } from './output/relative-time.ts';
import { printTable } from './output/table.ts';
import { print, printJson, tell, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

interface ListOptions {
  readonly json?: boolean;
  readonly names?: boolean;
}

/** Adds `evergrant list`. */
export function addListCommand(program: Command, session: Session): void {
  program
    .command('list')
    .summary('list the connections')
    .description('Lists the connections, first those on which somebody must act.')
    .option('--json', 'print JSON, one array')
    .option('--names', 'print the names alone, one a line')
    .addHelpText(
      'after',
      '\nExample:\n  evergrant list --json | jq -r \'.[] | select(.state != "active") | .name\'',
    )
    .action((options: ListOptions) => list(session, options));
}

async function list(session: Session, options: ListOptions): Promise<void> {
  const connections = await withKeeper(session, (keeper) => keeper.list());
  if (options.names === true) {
    for (const { name } of connections) print(session, name);
    return;
  }
  const sorted = [...connections].sort(byUrgency);
  if (options.json === true) return printJson(session, sorted);
  if (sorted.length === 0) return tell(session, 'no connections yet; begin with evergrant connect');
  await printTable(
    session,
    sorted.map((status) => rowOf(status, sorted, session.clock.now())),
    stateColour,
  );
}

const RANKS: Readonly<Record<ConnectionStatus['state'], number>> = {
  attention: 0,
  uncertain: 1,
  active: 3,
  paused: 4,
  disconnected: 5,
};

function rankOf({ state, actor, lastError }: ConnectionStatus): number {
  if (state !== 'active') return RANKS[state];
  // A refused client leaves its connections as they are, and yet somebody must act.
  if (actor !== undefined && actor !== 'nobody') return RANKS.attention;
  return lastError === undefined ? RANKS.active : 2;
}

function byUrgency(a: ConnectionStatus, b: ConnectionStatus): number {
  const soonest = (status: ConnectionStatus): number => status.accessExpiresAt ?? 0;
  return rankOf(a) - rankOf(b) || soonest(a) - soonest(b) || (a.name < b.name ? -1 : 1);
}

function rowOf(
  status: ConnectionStatus,
  all: readonly ConnectionStatus[],
  now: number,
): Record<string, string> {
  return {
    name: status.name,
    provider: status.provider,
    ...(all.some(({ account }) => account !== undefined) && { account: accountOf(status, all) }),
    state: status.state,
    token: status.freshness,
    expires: relativeTime(status.accessExpiresAt, now),
    'next refresh': dueTime(status.nextRefreshAt, now),
    'who must act': status.actor ?? '-',
  };
}

/** With its id where another account is called the same, as one may be at another server. */
function accountOf(
  { account, accountId }: ConnectionStatus,
  all: readonly ConnectionStatus[],
): string {
  if (account === undefined) return '-';
  const isShared = all.some((other) => other.account === account && other.accountId !== accountId);
  return isShared && accountId !== undefined ? `${account} (${accountId})` : account;
}

function stateColour(row: Readonly<Record<string, string>>): 'red' | 'yellow' | undefined {
  if (row['state'] === 'attention') return 'red';
  return row['state'] === 'uncertain' ? 'yellow' : undefined;
}
