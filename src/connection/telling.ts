import type { Actor, ConnectionRecord, LifeEvent, LifeKind, Notice } from './record.ts';

/*
 * What is told to people: lines of history, notices, and sentences made of a cause and a remedy.
 */

/** Who must act on a refusal and how; from the provider's data. */
export interface Advice {
  /** Who. */
  readonly actor: Actor;
  /** What happened, in words. */
  readonly cause: string;
  /** What to do, in words. */
  readonly remedy: string;
}

/** A line of history. */
export function event(
  connection: ConnectionRecord,
  facts: { readonly now: number; readonly by: string },
  name: LifeKind,
  detail: string | undefined,
): LifeEvent {
  const { grantId, generation } = connection;
  const fingerprint = connection.tokens?.fingerprint;
  return { at: facts.now, event: name, grantId, generation, by: facts.by, fingerprint, detail };
}

/** A message for whoever must act. */
export function notice(
  kind: string,
  actor: Actor,
  at: number,
  advice: Advice,
): Omit<Notice, 'id' | 'connection'> {
  return { kind, actor, at, message: sentence(advice) };
}

/** Cause and remedy in one line. */
export function sentence({ cause, remedy }: Pick<Advice, 'cause' | 'remedy'>): string {
  return cause.endsWith('.') ? `${cause} ${remedy}` : `${cause}; ${remedy}`;
}

/** A cause inside another sentence. */
export function clause(cause: string): string {
  return cause.endsWith('.') ? cause.slice(0, -1) : cause;
}
