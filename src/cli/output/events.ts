import { EvergrantError } from '../../errors.ts';
import type { Keeper } from '../../keeper-api.ts';
import { tell, warn, type Session } from '../session.ts';

/** Notices that wait to be told. */
export interface Notices {
  /** Leaves out what the error says anyway. */
  readonly drop: (error: unknown) => void;
  /** Tells the others, and listens no more. */
  readonly tell: () => void;
}

/** Warnings are told at once. Notices are told at the end, since a command that fails mostly gives the same reason. */
export function tellEvents(session: Session, keeper: Keeper): Notices {
  const about = (connection: string | undefined): string =>
    connection === undefined ? '' : `${connection}: `;
  const notices = new Set<string>();
  let reason: string | undefined;
  const stops = [
    keeper.on('warning', ({ connection, message }) => {
      warn(session, `${about(connection)}${message}`);
    }),
    keeper.on('notice', ({ connection, message }) => {
      notices.add(`${about(connection)}${message}`);
    }),
  ];
  return {
    drop: (error) => {
      if (error instanceof EvergrantError) reason = error.message;
    },
    tell: () => {
      for (const stop of stops) stop();
      // Most notices come only now: they are delivered while the keeper closes.
      if (reason !== undefined) notices.delete(reason);
      for (const notice of notices) tell(session, `evergrant: notice: ${notice}`);
    },
  };
}
