import type { Command } from 'commander';
import { tell, type Session } from './session.ts';
import { withKeeper } from './with-home.ts';

/** Adds `evergrant pause`. */
export function addPauseCommand(program: Command, session: Session): void {
  program
    .command('pause')
    .summary('stop refreshing a connection')
    .description(
      'Stops refreshing a connection until it is resumed. A living token is still served.',
    )
    .argument('<name>', 'connection')
    .addHelpText('after', '\nExample:\n  evergrant pause perspio')
    .action(async (name: string) => {
      await withKeeper(session, (keeper) => keeper.connection(name).pause());
      tell(session, `${name}: paused; evergrant resume ${name} undoes it`);
    });
}

/** Adds `evergrant resume`. */
export function addResumeCommand(program: Command, session: Session): void {
  program
    .command('resume')
    .summary('refresh a connection again')
    .description('Undoes a pause, and lets a connection that needed attention be tried again.')
    .argument('<name>', 'connection')
    .addHelpText('after', '\nExample:\n  evergrant resume perspio')
    .action(async (name: string) => {
      await withKeeper(session, (keeper) => keeper.connection(name).resume());
      tell(session, `${name}: resumed`);
    });
}
