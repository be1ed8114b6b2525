/** A signal asked the process to end. */
export class Interrupted extends Error {
  /** 130 for SIGINT, 143 for SIGTERM. */
  readonly exitCode: 130 | 143;

  /** @param signal - which one. */
  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.name = 'Interrupted';
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

/** Resolves when the signal aborts, or has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The signals that reach a command. */
export interface Signals {
  /** Aborted when the process is asked to end; its reason is an {@link Interrupted}. */
  readonly signal: AbortSignal;
  /** From now on SIGHUP calls this, instead of ending the command. */
  onHangUp(listener: () => void): void;
}

/**
 * Turns SIGINT, SIGTERM and SIGHUP (a terminal that closes, taken for SIGTERM) into an abort whose reason is {@link Interrupted}. The process ends only when its command has: a refresh in
 * flight is recorded first, since its answer may hold the only copy of a token.
 */
export function interruptOnSignals(source: NodeJS.EventEmitter): Signals {
  const controller = new AbortController();
  let hangUp: (() => void) | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    source.on(signal, () => {
      if (signal === 'SIGHUP' && hangUp !== undefined) hangUp();
      else controller.abort(new Interrupted(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM'));
    });
  }
  return {
    signal: controller.signal,
    onHangUp: (listener) => {
      hangUp = listener;
    },
  };
}
