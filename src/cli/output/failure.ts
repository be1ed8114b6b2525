import { ConfigurationError, EvergrantError } from '../../errors.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { Interrupted } from '../interruption.ts';
import { tell, type Session } from '../session.ts';
import { oneLine } from './harmless.ts';
import { inOptionNames } from './option-names.ts';

const hints = new WeakMap<object, string>();
const told = new WeakSet();

/** Gives an error a second line that tells what to do, for where it is reported. */
export function hint(error: object, text: string): void {
  hints.set(error, text);
}

/**
 * Tells on stderr, in one line, what a command threw, and a hint where there is one; the same error once only. `EVERGRANT_DEBUG=1` shows the stack of an
 * unexpected fault.
 *
 * @returns the exit code.
 */
export function reportFailure(session: Session, error: unknown): number {
  // Whatever a command threw after a signal, it threw because of that signal.
  const cause: unknown = session.signal.aborted ? session.signal.reason : error;
  if (cause instanceof Interrupted) return cause.exitCode;
  if (isToldNow(cause)) tellFailure(session, cause);
  return exitCodeOf(cause);
}

function isToldNow(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null) return true;
  if (told.has(cause)) return false;
  told.add(cause);
  return true;
}

function tellFailure(session: Session, cause: unknown): void {
  tell(session, `evergrant: ${describe(cause)}`);
  const more = typeof cause === 'object' && cause !== null ? hints.get(cause) : undefined;
  if (more !== undefined) tell(session, `hint: ${oneLine(more)}`);
  if (isDebugging(session) && cause instanceof Error && cause.stack !== undefined)
    tell(session, cause.stack);
}

function describe(error: unknown): string {
  if (error instanceof ConfigurationError) return oneLine(inOptionNames(error.message));
  if (error instanceof EvergrantError) return oneLine(error.message);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : 'no reason known';
  return oneLine(`unexpected fault (${message}); EVERGRANT_DEBUG=1 shows where`);
}

function isDebugging({ environment }: Session): boolean {
  const value = environment['EVERGRANT_DEBUG'];
  return value !== undefined && value !== '' && value !== '0';
}
