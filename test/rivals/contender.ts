/*
 * What a rival of evergrant is to the experiments: a client that keeps its tokens in a file of its own, one object a process.
 */

/** The rivals. */
export const RIVALS = ['naive-file', 'openid-client-file', 'msal-file-cache'] as const;

/** See {@link RIVALS}. */
export type Rival = (typeof RIVALS)[number];

/** Where a rival's tokens lie, and where they come from. */
export interface RivalOptions {
  readonly rival: Rival;
  /** Its file. */
  readonly file: string;
  /** Origin of the authorization server. */
  readonly origin: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
}

/** One rival in one process. */
export interface Contender {
  /** Takes over a grant, as after a sign-in. */
  seed(refreshToken: string): Promise<void>;
  /** The access token in the file if it is still good for a while, else a new one. */
  token(): Promise<string>;
  /** Asks for a new one, as when the old one is due. */
  refresh(): Promise<string>;
}

/** An access token that expires sooner is replaced; the margin of MSAL, which cannot be chosen. */
export const EARLY_MS = 300_000;
