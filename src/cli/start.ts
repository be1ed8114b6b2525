import { tokenAtHand } from '../keeper/at-hand.ts';
import { writeAtOnce } from '../system/standard-output.ts';

/*
 * Where the process begins. `evergrant token` is what scripts run, often, in a cold process, and mostly the token lives: then it is printed
 * by the little that is loaded here. Everything else is loaded for whoever needs it: a keeper for `token`, the whole command line for
 * other commands and whatever is not well formed, since it knows how to explain what is wrong.
 */

const argv = process.argv.slice(2);
const rest = printAtHand(argv);
if (rest === '') process.exit(0);
goOn(rest).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`evergrant could not start: ${message}\n`);
  process.exitCode = 1;
});

/** Prints a token that is at hand. @returns what of the line could not be written; undefined when there is no such token. */
function printAtHand([command, name, option, home, ...more]: readonly string[]):
  string | undefined {
  if (command !== 'token' || name === undefined || name.startsWith('-')) return undefined;
  if (option !== undefined && (option !== '--home' || home === undefined)) return undefined;
  // An empty one is refused further on.
  if (home === '' || more.length > 0 || namesKey(process.env)) return undefined;
  const token = tokenAtHand(name, { home, environment: process.env });
  return token === undefined ? undefined : writeAtOnce(`${token.reveal()}\n`);
}

/** Whether the master key is elsewhere than in the file at its usual place. */
function namesKey(environment: Readonly<Record<string, string | undefined>>): boolean {
  const ways = ['EVERGRANT_KEY_FILE', 'EVERGRANT_PASSPHRASE_FILE', 'EVERGRANT_KEYCHAIN'];
  return ways.some((way) => environment[way] !== undefined);
}

async function goOn(unwritten: string | undefined): Promise<void> {
  if (argv.includes('token')) {
    const { printRest, runTokenProcess } = await import('./token-process.ts');
    if (unwritten !== undefined) await printRest(unwritten);
    if (await runTokenProcess(argv)) return;
  }
  await import('./main.ts');
}
