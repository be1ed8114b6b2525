import type { Command } from 'commander';
import { askYesOrNo } from './input/ask.ts';
import { print, printJson, tell, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

interface DisconnectOptions {
  readonly yes?: boolean;
  readonly json?: boolean;
}

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
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  evergrant disconnect perspio --yes')
    .action((name: string, options: DisconnectOptions) => disconnect(session, name, options));
}

async function disconnect(
  session: Session,
  name: string,
  options: DisconnectOptions,
): Promise<void> {
  const done = await withKeeper(session, async (keeper) => {
    const connection = keeper.connection(name);
    if (options.yes !== true && session.stdin.isTTY === true) {
      const { provider, account } = await connection.status();
      const whose = account === undefined ? '' : ` of ${account}`;
      if (
        !(await askYesOrNo(
          session,
          `Disconnect ${name} (${provider}${whose})? Its tokens are forgotten.`,
        ))
      ) {
        return undefined;
      }
    }
    return connection.disconnect();
  });
  if (done === undefined) return tell(session, 'nothing was changed');
  if (options.json === true) return printJson(session, done);
  print(session, `${name}: ${done.message}`);
}
