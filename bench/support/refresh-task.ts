import { refreshToken } from './tokens.ts';

/** What everybody who refreshes is told. */
export interface RefreshTask {
  /** Where. */
  readonly tokenEndpoint: string;
  /** Refreshes in a round. */
  readonly refreshes: number;
  /** At most so many at once. */
  readonly concurrency: number;
}

/** The registration that all of them use. */
export const CLIENT = { id: 'bench', secret: 'the secret of the bench' };

/** The form of RFC 6749 section 6, as all of them send it. */
export function refreshForm(i: number): string {
  return new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken(i),
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
  }).toString();
}
