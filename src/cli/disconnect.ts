import type { Command } from 'commander';
import type { ConnectionStatus, Keeper } from '../keeper-api.ts';
import { askYesOrNo } from './input/ask.ts';
import { print, printJson, tell, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

interface DisconnectCommandOptions {
  readonly anyway?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Try later. */
const NOT_YET = 7;

/** Adds `evergrant disconnect`. */
export function addDisconnectCommand(program: Command, session: Session): void {
  program
    .command('disconnect')
    .summary('revoke and forget a connection')
    .description(
      'Revokes what the server lets us revoke and forgets the tokens. Asks first at a terminal; elsewhere the name is enough.',
    )
    .argument('<name>', 'connection')
    .option('-y, --yes', 'do not ask')
    .option(
      '--anyway',
      'remove it even where the server cannot be told to revoke its refresh token',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  evergrant disconnect perspio --yes')
    .action((name: string, options: DisconnectCommandOptions) =>
      disconnect(session, name, options),
    );
}

async function disconnect(
  session: Session,
  name: string,
  options: DisconnectCommandOptions,
): Promise<void> {
  const done = await withKeeper(session, async (keeper) => {
    const status = await keeper.connection(name).status();
    if (options.yes !== true && !(await isMeant(session, status))) return undefined;
    const ended = await keeper.connection(name).disconnect({ anyway: options.anyway === true });
    return { ended, isClientUnused: await isClientUnused(keeper, status), status };
  });
  if (done === undefined) return tell(session, 'nothing was changed');
  const { ended, isClientUnused: isUnused, status } = done;
  if (options.json === true) printJson(session, ended);
  else print(session, `${name}: ${ended.message}`);
  if (!ended.removed) session.exitCode = NOT_YET;
  if (!isUnused) return;
  const { clientId } = status;
  tell(
    session,
    `its registration is kept for another connection; evergrant client remove ${clientId} forgets it`,
  );
}

/** Asks where somebody can answer. */
async function isMeant(
  session: Session,
  { name, provider, account }: ConnectionStatus,
): Promise<boolean> {
  if (session.stdin.isTTY !== true) return true;
  const whose = account === undefined ? '' : ` of ${account}`;
  return askYesOrNo(session, `Disconnect ${name} (${provider}${whose})? Its tokens are forgotten.`);
}

async function isClientUnused(
  keeper: Keeper,
  { clientId, tokenEndpoint }: ConnectionStatus,
): Promise<boolean> {
  const clients = (await keeper.clients()).filter(
    (client) => client.clientId === clientId && client.tokenEndpoint === tokenEndpoint,
  );
  return clients.length > 0 && clients.every(({ connections }) => connections === 0);
}
