import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Command } from 'commander';
import type { Keeper } from '../keeper-api.ts';
import { parseDuration } from './input/duration.ts';
import { reportFailure } from './output/failure.ts';
import { tell, type Session } from './session.ts';
import { UsageError } from './usage-error.ts';
import { withKeeper } from './with-home.ts';

interface ExecOptions {
  readonly env: string;
  readonly minLife?: string;
}

/** Adds `evergrant exec`. */
export function addExecCommand(program: Command, session: Session): void {
  program
    .command('exec')
    .summary('run a program with the token in its environment')
    .description(
      'Runs a program with the token in an environment variable of that program alone, hands signals on and exits with its code; 126 when it may not be run, 127 when it is not there. ' +
        'Its environment can be read by the same user and by the programs it starts, and the token in it is not renewed: a program that runs longer than a token lives should ask evergrant token instead.',
    )
    .argument('<name>', 'connection')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--env <variable>', 'environment variable that gets the token', 'ACCESS_TOKEN')
    .option('--min-life <duration>', 'least remaining life of the token, e.g. 5m')
    .addHelpText(
      'after',
      '\nExample:\n  evergrant exec perspio --min-life 10m -- ./report.sh --daily',
    )
    .action((name: string, command: string[], options: ExecOptions) =>
      exec(session, name, command, options),
    );
}

/** What the system, a shell, a linker or a runtime reads there: the program would not be found, or not be itself. */
const OF_THE_SYSTEM =
  /^(?:PATH|HOME|PWD|SHELL|USER|LOGNAME|TERM|TMPDIR|TZ|LANG|IFS|ENV|BASH_ENV|NODE_OPTIONS|LC_.*|LD_.*|DYLD_.*)$/;

/** Starts the program before the home is closed, for that may wait minutes for the answer of a request under way. */
async function exec(
  session: Session,
  name: string,
  [program = '', ...programArguments]: readonly string[],
  options: ExecOptions,
): Promise<void> {
  if (!/^[A-Za-z_]\w*$/.test(options.env))
    throw new UsageError('--env takes the name of an environment variable');
  if (OF_THE_SYSTEM.test(options.env)) {
    throw new UsageError(
      `--env ${options.env} would take from the program what the system keeps in ${options.env}; choose a variable of its own, such as ACCESS_TOKEN`,
    );
  }
  const demands = {
    ...(options.minLife !== undefined && {
      minLifeMs: parseDuration(options.minLife, '--min-life'),
    }),
    signal: session.signal,
  };
  let ended: Promise<number> | undefined;
  const start = async (keeper: Keeper): Promise<void> => {
    const token = await keeper.connection(name).token(demands);
    const environment = { ...session.environment, [options.env]: token.value };
    ended = run(session, program, programArguments, environment);
    // Whoever reads what the program printed to its end need not wait for the answer.
    void ended.then(() => session.stdout.end());
  };
  let lateCode = 0;
  try {
    await withKeeper(session, start, { meanwhile: () => ended });
  } catch (error) {
    if (ended === undefined) throw error;
    lateCode = lateCodeOf(session, error);
  }
  session.exitCode = ((await ended) ?? 0) || lateCode;
}

/** The program runs already, and a signal was handed on to it: how it ends is its own answer. */
function lateCodeOf(session: Session, error: unknown): number {
  const code = reportFailure(session, error);
  return session.signal.aborted ? 0 : code;
}

/** @returns what to exit with. */
async function run(
  session: Session,
  program: string,
  programArguments: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  let child: ChildProcess;
  try {
    child = spawn(program, programArguments, { stdio: 'inherit', env });
  } catch (error) {
    // Some faults, such as a search path that is too long, are thrown rather than told as an event.
    return notRun(session, program, error as NodeJS.ErrnoException);
  }
  const stopForwarding = forwardSignals(session, child);
  const code = await exitOf(session, child, program);
  stopForwarding();
  return code;
}

function notRun(
  session: Session,
  program: string,
  { code, message }: NodeJS.ErrnoException,
): number {
  const why = code === 'ENOENT' ? 'there is no such program' : (code ?? message);
  tell(session, `evergrant: ${program} cannot be run: ${why}`);
  return code === 'ENOENT' ? 127 : 126;
}

/** A terminal sends SIGINT to the child itself; a second one would be taken for impatience. */
function forwardSignals(session: Session, child: ChildProcess): () => void {
  const signals: readonly NodeJS.Signals[] =
    session.stdin.isTTY === true ? ['SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}

function exitOf(session: Session, child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      resolve(notRun(session, program, error));
    });
    child.on('close', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
