/*
 * Imports a refresh token that another program obtained. Stop that program first: only one of the two may go on refreshing.
 *
 *   PERSPIO_CLIENT_ID=… node import-a-refresh-token.ts refresh-token.txt client-secret.txt subscription-key.txt
 */
import { readFile } from 'node:fs/promises';
import { openKeeper } from 'evergrant';

const [refreshToken, clientSecret, subscriptionKey] = await Promise.all(
  process.argv.slice(2, 5).map(async (file) => (await readFile(file, 'utf8')).trim()),
);
if (refreshToken === undefined || clientSecret === undefined || subscriptionKey === undefined) {
  throw new Error('give three files: refresh token, client secret, subscription key');
}

await using keeper = await openKeeper();
const perspio = await keeper.add('perspio', {
  provider: 'perspio',
  client: { clientId: process.env['PERSPIO_CLIENT_ID'] ?? '', clientSecret },
  tokens: { refreshToken },
  subscriptionKey,
  perspioTenantId: process.env['PERSPIO_TENANT'] ?? '',
  // Nothing for Perspio itself; addresses of the emulator in a trial.
  overrides: JSON.parse(process.env['PERSPIO_OVERRIDES'] ?? '{}'),
});

// The first refresh proves that the token was good, and from now on the one in the file is out of date.
const { accessExpiresAt } = await perspio.refresh();
console.log(`imported; good until ${new Date(accessExpiresAt ?? 0).toISOString()}`);
