import { inspect } from 'node:util';
import { readGrammar, type CommandGrammar } from '../../../src/cli/completion/grammar.ts';
import { EXIT_CODES } from '../../../src/cli/exit-codes.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { collectingSession, runCli, type Run } from '../../unit/cli/run-cli.ts';
import { findLeaks, type Canary } from '../../support/leaks.ts';
import type { Dice } from '../dice.ts';
import type { Door, Fuzzer, Sight } from '../fuzzer.ts';
import { hostileText } from '../hostile.ts';

/*
 * Arguments and environment of the command line, with a keeper that does nothing: an exit code from the list, one line of reason, no stack,
 * and no secret repeated that somebody typed where none belongs.
 */

const SECRET = 'canary~client+secret/7f3a91';
const CANARIES: readonly Canary[] = [{ kind: 'typed secret', value: SECRET }];

/** These begin things that a test must not: a server, a story in processes, a program. */
const LEFT_OUT = new Set(['emulator', 'demo', 'exec', 'serve']);

const GRAMMAR = readGrammar(buildProgram(collectingSession().session)).filter(
  ({ words }) => words.length > 0 && !LEFT_OUT.has(words[0] ?? ''),
);

function valueOf(dice: Dice, long: string): string {
  // Open descriptors of this process must not be read.
  if (long.endsWith('-fd')) return dice.pick(['x', '', '-1', '9999', '1e3', '٣']);
  return dice.pick([
    'perspio',
    '30s',
    '2027-01-31',
    'https://as.example/',
    'a b',
    hostileText(dice).slice(0, 300),
  ]);
}

function typedSecret(dice: Dice): string[] {
  const name = dice.pick([
    'client-secret',
    'refresh-token',
    'access-token',
    'passphrase',
    'subscription-key',
    'client-secrt',
    'clientsecret',
    'password',
    'secret',
  ]);
  return dice.pick([
    [`--${name}=${SECRET}`],
    [`--${name}`, SECRET],
    [`-p${SECRET}`],
    [`-s=${SECRET}`],
    [`--${name} ${SECRET}`],
    [`—${name}=${SECRET}`],
  ]);
}

function argumentsOf(dice: Dice): string[] {
  const command = dice.pick<CommandGrammar>(GRAMMAR);
  const named = dice.chance(0.8)
    ? [dice.pick(['perspio', 'client-1', hostileText(dice).slice(0, 300)])]
    : [];
  const options = dice.several(4, () => {
    const { long, value } = dice.pick(command.options);
    if (value === undefined) return [long];
    const given = valueOf(dice, long);
    return dice.chance(0.5) ? [`${long}=${given}`] : [long, given];
  });
  const odd = dice.chance(0.3) ? [[hostileText(dice).slice(0, 300)]] : [];
  const secret = dice.chance(0.3) ? [typedSecret(dice)] : [];
  const words = dice.chance(0.95) ? command.words : [hostileText(dice)];
  const rest = dice.shuffled([named, ...options, ...odd, ...secret]).flat();
  // What comes after the mark is not for us; nothing may follow that begins a program.
  return [...words, ...rest].filter((argument) => !LEFT_OUT.has(argument));
}

function environmentOf(dice: Dice): Record<string, string> {
  const names = [
    'EVERGRANT_HOME',
    'EVERGRANT_KEY_FILE',
    'EVERGRANT_PASSPHRASE_FILE',
    'EVERGRANT_KEYCHAIN',
    'NO_COLOR',
    'TERM',
    'COLUMNS',
  ];
  return Object.fromEntries(
    dice.several(2, () => [dice.pick(names), hostileText(dice).slice(0, 300)]),
  );
}

/** What follows `--` is a name or a file by the word of whoever typed it, and is told as one. */
function namesSecret(argv: readonly string[]): boolean {
  const mark = argv.indexOf('--');
  return mark >= 0 && argv.slice(mark).some((argument) => argument.includes(SECRET));
}

function judge(
  { code, stdout, stderr }: Run,
  isReport: boolean,
  isNamed: boolean,
): string | undefined {
  if (!EXIT_CODES.has(code) || code === 1) return `exit code ${String(code)}: ${stderr}`;
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr)) return `a stack: ${stderr}`;
  const control = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u.exec(stderr);
  if (control !== null) return `control: ${JSON.stringify(stderr)}`;
  const reasons = stderr.split('\n').filter((line) => /^evergrant: (?!warning|notice)/.test(line));
  const isHelp = stderr.startsWith('Usage:');
  if (code !== 0 && reasons.length !== 1 && !isHelp && !isReport)
    return `${String(reasons.length)} reasons: ${stderr}`;
  if (isNamed) return undefined;
  const evidence = [stdout, stderr].map((text) => ({ where: 'output', bytes: Buffer.from(text) }));
  const [leak] = findLeaks(CANARIES, evidence);
  return leak === undefined ? undefined : `repeats a secret: ${stdout}${stderr}`;
}

type Runs = typeof runCli;

const DEFECTS: Readonly<Record<string, Runs>> = {
  'repeats its arguments': async (argv, changes) => {
    const run = await runCli(argv, changes);
    return run.code === 2 ? { ...run, stderr: `${run.stderr}${argv.join(' ')}\n` } : run;
  },
  'ends with a stack': async (argv, changes) => {
    const run = await runCli(argv, changes);
    return argv.some((argument) => argument.includes('\0')) ? { ...run, code: 1 } : run;
  },
};

async function attackOnce(dice: Dice, run: Runs): Promise<Sight> {
  const argv = argumentsOf(dice);
  const environment = environmentOf(dice);
  const ran = await run(argv, { environment, input: dice.chance(0.5) ? '' : hostileText(dice) });
  return {
    met: `exit ${String(ran.code)}`,
    breach: judge(ran, argv[0] === 'doctor', namesSecret(argv)),
    input: inspect({ argv, environment }),
  };
}

/** Arguments of the command line. */
export const commandArguments: Fuzzer = {
  name: 'command-arguments',
  trials: 1_500,
  fullTrials: 30_000,
  reaches: ['exit 0', 'exit 2', 'exit 3'],
  defects: Object.keys(DEFECTS),
  open: async (defect): Promise<Door> => ({
    attack: (dice) => attackOnce(dice, defect === undefined ? runCli : DEFECTS[defect]!),
    [Symbol.asyncDispose]: async () => undefined,
  }),
};
