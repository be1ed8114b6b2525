import { refuseEmptyValues } from './input/global-options.ts';
import { openHome } from '../keeper.ts';
import { runProcess } from './process.ts';
import { parseTokenCommand, printToken, type TokenCommand } from './token.ts';

/**
 * Runs a well-formed `evergrant token` with a keeper, and ends the process.
 *
 * @param parsed - what the arguments say, where that is known.
 * @returns false, and does nothing, for other arguments.
 */
export async function runTokenProcess(
  argv: readonly string[],
  parsed?: TokenCommand,
): Promise<boolean> {
  const command = parsed ?? parseTokenCommand(argv);
  if (command === undefined) return false;
  return runProcess(async (session) => {
    session.globals = command.options;
    refuseEmptyValues(command.options);
    return printToken(session, command.name, command.options);
  }, openHome);
}

/** Prints what is left of a line that could not be printed at once, and ends the process. */
export async function printRest(rest: string): Promise<never> {
  return runProcess(async ({ stdout }) => void stdout.write(rest), openHome);
}
