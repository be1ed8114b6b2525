/*
 * Begins a connection by a sign-in in the browser: authorization code with PKCE, answered to a port of this machine.
 *
 *   PERSPIO_CLIENT_ID=… node connect-with-a-browser.ts < client-secret.txt
 */
import { text } from 'node:stream/consumers';
import { openKeeper, Secret, type ConsentPrompt } from 'evergrant';

const prompt: ConsentPrompt = {
  authorize({ url }) {
    console.log(`open this address and consent:\n${url}`);
  },
  confirmSubject({ now, before }) {
    // Asked when another account signs in, or nothing tells which one did. Refuse what you did not expect.
    console.error(`signed in as ${now ?? 'unknown'}, expected ${before ?? 'unknown'}`);
    return Promise.resolve(false);
  },
};

await using keeper = await openKeeper();
const perspio = await keeper.connect('perspio', {
  provider: 'perspio',
  client: {
    clientId: process.env['PERSPIO_CLIENT_ID'] ?? '',
    clientSecret: new Secret((await text(process.stdin)).trim()),
  },
  prompt,
  // Nothing for Perspio itself; addresses of the emulator in a trial.
  overrides: JSON.parse(process.env['PERSPIO_OVERRIDES'] ?? '{}'),
});
const { account, grantedScopes } = await perspio.status();
console.log(`connected as ${account ?? 'unknown'} for ${grantedScopes.join(' ')}`);
