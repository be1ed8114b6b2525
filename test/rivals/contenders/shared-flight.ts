import { EARLY_MS, type Contender } from '../contender.ts';

/** What a client of the simple kind keeps. */
export interface Saved {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: number;
}

/** The parts in which clients of the simple kind differ. */
export interface SimpleClient {
  read(): Promise<Saved>;
  write(saved: Saved): Promise<void>;
  /** One request. */
  renew(refreshToken: string): Promise<Saved>;
}

/** Such a client. Callers of one process share a request, as a careful author sees to; what is on file is read again before each. */
export function simpleContender({ read, write, renew }: SimpleClient): Contender {
  let flight: Promise<string> | undefined;
  const store = async (refreshToken: string): Promise<string> => {
    const saved = await renew(refreshToken);
    await write(saved);
    return saved.accessToken;
  };
  const refresh = (): Promise<string> =>
    (flight ??= read()
      .then(({ refreshToken }) => store(refreshToken))
      .finally(() => (flight = undefined)));
  return {
    seed: async (refreshToken) => {
      await store(refreshToken);
    },
    refresh,
    async token() {
      const saved = await read();
      return saved.expiresAt - Date.now() > EARLY_MS ? saved.accessToken : refresh();
    },
  };
}
