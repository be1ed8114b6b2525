import { runProcess } from './process.ts';
import { runProgram } from './program.ts';

// Every command, as start.ts begins those that are more than a well-formed `evergrant token`.
void runProcess((session) => runProgram(process.argv.slice(2), session));
