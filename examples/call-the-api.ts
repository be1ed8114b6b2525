/*
 * Calls the API through the connection: the token and Perspio's headers are added, a refused token is replaced once.
 *
 *   node call-the-api.ts
 */
import { AuthorizationRequiredError, ClientRejectedError, openKeeper } from 'evergrant';

await using keeper = await openKeeper({ create: false });
const perspio = keeper.connection('perspio');

try {
  const response = await perspio.fetch('/assets/v3/');
  const wait = response.headers.get('retry-after');
  if (response.ok) {
    console.log(await response.json());
  } else if (wait !== null) {
    // 429 is the rate; 403 with Retry-After is the quota of the tenant.
    console.error(`the API asks to wait: ${wait} s`);
    process.exitCode = 7;
  } else {
    console.error(`the API answered ${response.status}: ${await response.text()}`);
    process.exitCode = 5;
  }
} catch (error) {
  if (error instanceof AuthorizationRequiredError) console.error(`sign in again: ${error.message}`);
  else if (error instanceof ClientRejectedError) console.error(`operator: ${error.message}`);
  else throw error;
  process.exitCode = 4;
}
