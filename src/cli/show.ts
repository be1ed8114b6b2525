import type { Command } from 'commander';
import { statusLines } from './output/status-lines.ts';
import { print, printJson, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

/** Adds `evergrant show`. */
export function addShowCommand(program: Command, session: Session): void {
  program
    .command('show')
    .summary('show where a connection stands')
    .description('Shows where a connection stands. Holds no secret.')
    .argument('<name>', 'connection')
    .option('--json', 'print JSON; instants are epoch milliseconds')
    .addHelpText('after', '\nExample:\n  evergrant show perspio --json | jq .state')
    .action(async (name: string, options: { readonly json?: boolean }) => {
      const status = await withKeeper(session, (keeper) => keeper.connection(name).status());
      if (options.json === true) return printJson(session, status);
      for (const line of statusLines(status, session.clock.now())) print(session, line);
    });
}
