/*
 * Begins a connection on a machine without a browser: the person enters a code at another device.
 *
 *   PERSPIO_CLIENT_ID=… node device-code.ts < client-secret.txt
 */
import { text } from 'node:stream/consumers';
import { openKeeper } from 'evergrant';

await using keeper = await openKeeper();
const perspio = await keeper.connect('perspio', {
  provider: 'perspio',
  grant: 'device',
  client: {
    clientId: process.env['PERSPIO_CLIENT_ID'] ?? '',
    clientSecret: (await text(process.stdin)).trim(),
  },
  prompt: {
    authorize: () => undefined,
    deviceCode({ verificationUri, userCode, expiresAt }) {
      const until = new Date(expiresAt).toLocaleTimeString();
      console.log(`open ${verificationUri} and enter ${userCode} before ${until}`);
    },
  },
  // Nothing for Perspio itself; addresses of the emulator in a trial.
  overrides: JSON.parse(process.env['PERSPIO_OVERRIDES'] ?? '{}'),
});
console.log(`connected, ${(await perspio.status()).state}`);
