import type { Command } from 'commander';
import { tell, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

/** Adds `evergrant rename`. */
export function addRenameCommand(program: Command, session: Session): void {
  program
    .command('rename')
    .summary('give a connection another name')
    .description('Gives a connection another name. Its tokens, its id and its history stay.')
    .argument('<name>', 'connection')
    .argument('<new-name>', 'what to call it from now on')
    .addHelpText('after', '\nExample:\n  evergrant rename perspio perspio-test')
    .action(async (name: string, newName: string) => {
      await withKeeper(session, (keeper) => keeper.connection(name).rename(newName));
      tell(session, `${name}: now ${newName}`);
    });
}
