import type { Readable, Writable } from 'node:stream';
import type { KeeperOptions, OpenHome } from '../keeper.ts';
import type { Clock } from '../system/clock.ts';
import type { GlobalValues } from './input/global-options.ts';
import { harmless, harmlessJson } from './output/harmless.ts';

/** An open home: its keeper, its paths, and as much of its store as upkeep needs. */
export interface Home extends Pick<OpenHome, 'keeper' | 'paths' | 'api'> {
  /** Keys, backups, copies, damage, the outbox, and what a daemon needs. */
  readonly store: Pick<
    OpenHome['store'],
    | 'checkWritable'
    | 'keyStatus'
    | 'rotateDataKey'
    | 'backup'
    | 'pendingNotices'
    | 'copyStatus'
    | 'acceptCopy'
    | 'findDamage'
    | 'access'
    | 'life'
    | 'endpoints'
    | 'webhooks'
  >;
}

/** All that a command may touch. The process brings the real one, a test its own. */
export interface Session {
  /** Where secrets and pasted addresses may come from; a terminal is asked, anything else is read. */
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Results, and nothing else. */
  readonly stdout: Writable;
  /** All else: notes, warnings, questions, errors. */
  readonly stderr: Writable;
  /** The environment variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Time. */
  readonly clock: Clock;
  /** Aborted when the process is asked to end; its reason is an `Interrupted`. */
  readonly signal: AbortSignal;
  /** From now on SIGHUP calls this, instead of ending the command. */
  onHangUp(listener: () => void): void;
  /** What the global options say, once the arguments are parsed. */
  globals: GlobalValues;
  /** What the process exits with when nothing is thrown. */
  exitCode: number;
  /** Opens a home. */
  openHome(options: Pick<KeeperOptions, 'home' | 'key' | 'create' | 'log'>): Promise<Home>;
}

/** Writes one line of results. */
export function print(session: Session, line: string): void {
  session.stdout.write(`${line}\n`);
}

/** Writes results as JSON on one line; what is undefined becomes null, so that every member is always there. */
export function printJson(session: Session, value: unknown): void {
  const json = JSON.stringify(value, (_, member: unknown) =>
    member === undefined ? null : member,
  );
  print(session, harmlessJson(json));
}

/** Writes one line for the person at the terminal. */
export function tell(session: Session, line: string): void {
  session.stderr.write(`${harmless(line)}\n`);
}

/** Writes one line about something odd that stops nobody. */
export function warn(session: Session, message: string): void {
  tell(session, `evergrant: warning: ${message}`);
}
