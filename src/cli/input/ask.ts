import { Secret } from '../../secret.ts';
import { Interrupted } from '../interruption.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

/*
 * Questions at a terminal. They are shown on stderr, so that results stay alone on stdout; Ctrl-C at a question is SIGINT.
 */

/** Asks for a secret without showing it. */
export async function askSecret(session: Session, what: string): Promise<Secret> {
  const value = await askSecretOrNothing(session, what);
  if (value === undefined) throw new UsageError(`no ${what} was given`);
  return value;
}

/** Asks for a secret that may be left out. */
export async function askSecretOrNothing(
  session: Session,
  what: string,
): Promise<Secret | undefined> {
  const { password } = await import('@clack/prompts');
  const answer = answered<string>(await password({ message: what, ...streams(session) }));
  return answer === undefined || answer === '' ? undefined : new Secret(answer);
}

/** Asks for something that may be seen. */
export async function askText(session: Session, what: string): Promise<string> {
  const { text } = await import('@clack/prompts');
  const answer = answered<string>(await text({ message: what, ...streams(session) }))?.trim();
  if (answer === undefined || answer === '') throw new UsageError(`no ${what} was given`);
  return answer;
}

/** Asks a question that is answered by yes or no. */
export async function askYesOrNo(session: Session, question: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  const answer = await confirm({ message: question, initialValue: false, ...streams(session) });
  return answered<boolean>(answer) === true;
}

function streams(session: Session): {
  readonly input: Session['stdin'];
  readonly output: Session['stderr'];
  readonly signal: AbortSignal;
} {
  return { input: session.stdin, output: session.stderr, signal: session.signal };
}

/** The prompts answer with a symbol when Ctrl-C ends them, and with nothing when return was pressed on an empty line. */
function answered<T>(answer: T | symbol | undefined): T | undefined {
  if (typeof answer === 'symbol') throw new Interrupted('SIGINT');
  return answer;
}
