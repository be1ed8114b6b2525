import type { HomePaths } from '../../system/home.ts';
import type { Home, Session } from '../session.ts';

/** What a check found. */
export interface Finding {
  /** `warn` works today, `fail` does not. */
  readonly verdict: 'ok' | 'warn' | 'fail';
  /** The fact, in a few words. */
  readonly message: string;
  /** What to do; for `warn` and `fail`. */
  readonly remedy?: string;
  /** What was measured, by name; further members in JSON. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** What the checks look at. */
export interface Patient {
  /** Streams, environment and time. */
  readonly session: Session;
  /** Where everything of the home lies. */
  readonly paths: HomePaths;
  /** The open home, or why it does not open. */
  readonly home: Home | Error;
}

/** One thing that can be wrong. */
export interface Check {
  /** Two or three words. */
  readonly name: string;
  /** What the process exits with when it fails: 2 for the surroundings, 9 for the store. */
  readonly exitCode: 2 | 9;
  /** Looks. Several findings where several things may be wrong at once; none where another check tells. */
  look(patient: Patient): Promise<readonly Finding[]>;
}

/** All is well. */
export function ok(message: string): readonly Finding[] {
  return [{ verdict: 'ok', message }];
}

/** Works today. */
export function warning(message: string, remedy: string): Finding {
  return { verdict: 'warn', message, remedy };
}

/** Does not work. */
export function failure(message: string, remedy: string): Finding {
  return { verdict: 'fail', message, remedy };
}

/** Looks at an open home; without one the check of the store has told why. */
export async function inOpenHome(
  { home }: Patient,
  look: (home: Home) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  return home instanceof Error ? [] : look(home);
}
