/*
 * A connection of the client's own, without a person: read only at Perspio. There is no refresh token; a new access token is asked
 * for when the old one is about to expire, once for all callers.
 *
 *   PERSPIO_CLIENT_ID=… node client-credentials.ts < client-secret.txt
 */
import { text } from 'node:stream/consumers';
import { ConfigurationError, openKeeper } from 'evergrant';

await using keeper = await openKeeper();
try {
  await keeper.connect('perspio-app', {
    provider: 'perspio',
    grant: 'client-credentials',
    client: {
      clientId: process.env['PERSPIO_CLIENT_ID'] ?? '',
      clientSecret: (await text(process.stdin)).trim(),
    },
    // Nothing for Perspio itself; addresses of the emulator in a trial.
    overrides: JSON.parse(process.env['PERSPIO_OVERRIDES'] ?? '{}'),
  });
} catch (error) {
  const exists = error instanceof ConfigurationError && error.code === 'ERR_CONNECTION_EXISTS';
  if (!exists) throw error;
}
const token = await keeper.connection('perspio-app').token();
console.log(`${token.type} token for ${token.scope.join(' ')}, good until ${token.expiresAt}`);
