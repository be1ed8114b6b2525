import type { BeginOptions } from '../../../src/keeper-api.ts';
import type { EmulatorProcessOptions } from '../../support/emulator-process.ts';
import type { FreshTokens } from '../../support/kept-home.ts';
import type { Random } from '../../../src/system/random.ts';
import { registrationAt, signInAt, startServer, type Rotation } from './servers.ts';

/** An authorization server in a process of its own, as an experiment judges by it. */
export interface Authority extends AsyncDisposable {
  /** The registration of the client. */
  readonly begin: BeginOptions;
  /** Begins another grant, which is the one judged from then on. */
  signIn(): Promise<FreshTokens>;
  /** Resolves when every request that has reached the server has been carried out. */
  settle(): Promise<void>;
  /** Moves the server's clock ahead, where that can be done. */
  advance?(ms: number): Promise<void>;
  /** Whether it would exchange this refresh token now. */
  honours(refreshToken: string): Promise<boolean>;
  /** Whether an API would accept this access token now. */
  accepts(accessToken: string): Promise<boolean>;
}

/** Delays of a token request before and after its commit, each 1 to 15 ms. */
export function drawDelays(random: Random): {
  readonly commitDelayMs: number;
  readonly answerDelayMs: number;
} {
  const draw = (): number => 1 + Math.floor(random.fraction() * 15);
  return { commitDelayMs: draw(), answerDelayMs: draw() };
}

/** The emulator, with reuse revoking the family and its access tokens. */
export async function emulatorAuthority(
  rotation: Rotation,
  options: EmulatorProcessOptions = {},
): Promise<Authority> {
  const server = await startServer(options);
  return {
    begin: registrationAt(server, rotation),
    signIn: () => signInAt(server, rotation),
    async settle() {
      for (const { sequence } of await server.ledger.entries({ outcome: 'pending' })) {
        await server.ledger.waitFor(1, { sequence, committed: true });
      }
    },
    advance: (ms) => server.clock.advance(ms),
    honours: (refreshToken) => server.isRefreshTokenHonoured(refreshToken),
    accepts: (accessToken) => server.isAccessTokenAlive(accessToken),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
