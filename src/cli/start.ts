import { tokenAtHand } from '../keeper/at-hand.ts';
import { keepCompiledCode } from '../system/compiled-code.ts';
import { writeAtOnce } from '../system/standard-output.ts';

/*
 * Where the process begins. `evergrant token` is what scripts run, often, in a cold process, and mostly the token lives: then it is printed
 * by the little that is loaded here. Everything else is loaded for whoever needs it: a keeper for `token`, the whole command line for
 * other commands and whatever is not well formed, since it knows how to explain what is wrong. Of the much that a keeper takes, Node keeps
 * what it made for the next process; for this little, to look for it would take as long as to make it.
 */

const argv = process.argv.slice(2);
const plain = parsePlain();
const rest = plain === undefined ? undefined : printAtHand(plain);
if (rest === '') process.exit(0);
goOn(rest).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`evergrant could not start: ${message}\n`);
  process.exitCode = 1;
});

/** `evergrant token NAME`, and no option but `--home`. */
interface PlainCommand {
  readonly name: string;
  readonly options: { readonly home?: string };
}

/** Reads the arguments that scripts mostly give, without the library that reads all others. */
function parsePlain(): PlainCommand | undefined {
  const [command, name, option, home, ...more] = argv;
  if (command !== 'token' || name === undefined || name.startsWith('-')) return undefined;
  if (option === undefined) return { name, options: {} };
  // An empty one is refused further on.
  const isPlain = option === '--home' && home !== undefined && home !== '' && more.length === 0;
  return isPlain && !home.startsWith('-') ? { name, options: { home } } : undefined;
}

/** Prints a token that is at hand. @returns what of the line could not be written; undefined when there is no such token. */
function printAtHand({ name, options: { home } }: PlainCommand): string | undefined {
  if (namesKey(process.env)) return undefined;
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
    if (argv[0] === 'token') keepCompiledCode(homeInArguments(), process.env);
    const { printRest, runTokenProcess } = await import('./token-process.ts');
    if (unwritten !== undefined) await printRest(unwritten);
    if (await runTokenProcess(argv, plain)) return;
  }
  await import('./main.ts');
}

/** What `--home` says, in either way to write it. */
function homeInArguments(): string | undefined {
  const at = argv.findIndex((word) => word === '--home' || word.startsWith('--home='));
  return argv[at] === '--home' ? argv[at + 1] : argv[at]?.slice('--home='.length);
}
