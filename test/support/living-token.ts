import { openKeeper } from '../../src/keeper.ts';

/** The access token of every connection made by {@link makeHomeOfTokens}. */
export const LIVING_TOKEN = 'a~valid-token';
/** Its refresh token. */
export const ITS_REFRESH_TOKEN = 'a~refresh-token';

/** Makes a home with connections whose access tokens live so long from now on, and whose server is not there. */
export async function makeHomeOfTokens(
  home: string,
  lives: Readonly<Record<string, number>>,
): Promise<void> {
  await using keeper = await openKeeper({ home });
  for (const [name, lifeMs] of Object.entries(lives)) {
    await keeper.add(name, {
      provider: 'generic',
      client: { clientId: 'client', clientSecret: 'secret' },
      overrides: { tokenEndpoint: 'http://127.0.0.1:9/token', insecureLoopback: true },
      tokens: {
        refreshToken: ITS_REFRESH_TOKEN,
        accessToken: LIVING_TOKEN,
        accessExpiresAt: Date.now() + lifeMs,
      },
    });
  }
}
