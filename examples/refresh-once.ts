/*
 * The single POST of Perspio's page "Refresh Access Token", without a store. Whoever refreshes this way keeps the tokens: the new
 * refresh token is on disk before the access token is used.
 *
 *   PERSPIO_CLIENT_ID=… node refresh-once.ts refresh-token.txt < client-secret.txt
 */
import { open, readFile, rename } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { refreshAccessToken } from 'evergrant/oauth';

const [file = 'refresh-token.txt'] = process.argv.slice(2);
const tokenEndpoint =
  process.env['TOKEN_ENDPOINT'] ??
  'https://login.microsoftonline.com/7d548d61-6361-4a6e-85e6-509e2c05d05e/oauth2/v2.0/token';

const tokens = await refreshAccessToken({
  tokenEndpoint,
  clientId: process.env['PERSPIO_CLIENT_ID'] ?? '',
  clientSecret: (await text(process.stdin)).trim(),
  refreshToken: (await readFile(file, 'utf8')).trim(),
  scope: 'api://perspiotalk/all_readwrite offline_access',
  insecureLoopback: 'TOKEN_ENDPOINT' in process.env, // only for the emulator
});

if (tokens.refreshToken !== undefined) await replace(file, tokens.refreshToken);
console.log(`${tokens.tokenType} token, good for ${tokens.expiresIn ?? '?'} s`);

/** Leaves the old content or the new, never a part, whatever happens in between. */
async function replace(path: string, content: string): Promise<void> {
  await using handle = await open(`${path}.new`, 'w', 0o600);
  await handle.writeFile(content);
  await handle.sync();
  await rename(`${path}.new`, path);
}
