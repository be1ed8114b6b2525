/** Where a keeper tells what happens. Fields are snake_case and hold no secret. */
export interface Log {
  /** Something that was to be expected. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Something odd that needs nobody, or somebody: the message says which. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Tells nobody. */
export const silentLog: Log = { info: () => undefined, warn: () => undefined };
