import type { BeginOptions } from '../../../src/keeper-api.ts';
import {
  startEmulatorProcess,
  type EmulatorProcess,
  type EmulatorProcessOptions,
} from '../../support/emulator-process.ts';
import { makeKeptHome, type FreshTokens, type KeptHome } from '../../support/kept-home.ts';

/** What the keeper believes of the server's rotation. A server of kind `unknown` is a `single-use` one that nothing is known of. */
export const ROTATIONS = ['none', 'reusable', 'grace', 'single-use', 'unknown'] as const;

/** See {@link ROTATIONS}. */
export type Rotation = (typeof ROTATIONS)[number];

/** Life of access tokens at these servers. */
export const LIFE_MS = 3_600_000;
/** The grace of servers that have one: enough for a slow machine to restart a keeper in. */
export const GRACE_MS = 60_000;

/** Starts an emulator with one public client for each rotation, named like it. Reuse revokes the family, access tokens and all. */
export function startServer(options: EmulatorProcessOptions = {}): Promise<EmulatorProcess> {
  return startEmulatorProcess({
    opaqueAccessTokens: true,
    accessLifeSeconds: LIFE_MS / 1000,
    graceMs: GRACE_MS,
    clients: ROTATIONS.map((rotation) => ({
      clientId: rotation,
      rotation: rotation === 'unknown' ? 'single-use' : rotation,
    })),
    ...options,
  });
}

/** The registration of the client with this rotation. */
export function registrationAt(server: EmulatorProcess, rotation: Rotation): BeginOptions {
  return {
    provider: 'generic',
    client: { clientId: rotation },
    overrides: {
      tokenEndpoint: server.tokenEndpoint,
      insecureLoopback: true,
      rotation,
      graceMs: GRACE_MS,
    },
  };
}

/** Tokens of a new grant, as after a sign-in. */
export async function signInAt(
  server: EmulatorProcess,
  rotation: Rotation,
): Promise<FreshTokens & { readonly grantId: string }> {
  const grant = await server.issueGrant({ clientId: rotation });
  const { grantId, accessToken, refreshToken = '', expiresIn } = grant;
  return { grantId, accessToken, refreshToken, lifeMs: expiresIn * 1000 };
}

/** A home whose connection is of a new grant at the server. @param below - the folder in which it is made. */
export async function keptHomeAt(
  server: EmulatorProcess,
  rotation: Rotation,
  below?: string,
): Promise<{ readonly home: KeptHome; readonly grantId: string }> {
  const tokens = await signInAt(server, rotation);
  const home = await makeKeptHome(registrationAt(server, rotation), tokens, below);
  return { home, grantId: tokens.grantId };
}
