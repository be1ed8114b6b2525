import { runProcess } from './process.ts';
import { runProgram } from './program.ts';

// Every command, as start.ts begins those that are more than a well-formed `evergrant token`.
void runProcess(
  (session) => runProgram(process.argv.slice(2), session),
  // Help and the like need no keeper.
  async (options) => (await import('../keeper.ts')).openHome(options),
);
