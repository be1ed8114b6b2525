/*
 * Takes an access token and uses it in a request of one's own, for programs that cannot go through `connection.fetch`.
 *
 *   evergrant connect perspio …          once
 *   PERSPIO_SUBSCRIPTION_KEY=… PERSPIO_TENANT=in-… node token-for-a-script.ts
 */
import { openKeeper } from 'evergrant';

await using keeper = await openKeeper({ create: false });
const token = await keeper.connection('perspio').token({ minLifeMs: 300_000 });

const api = process.env['PERSPIO_API'] ?? 'https://talk.perspio.io';
const response = await fetch(`${api}/assets/v3/`, {
  headers: {
    authorization: token.authorization,
    'Ocp-Apim-Subscription-Key': process.env['PERSPIO_SUBSCRIPTION_KEY'] ?? '',
    tid: process.env['PERSPIO_TENANT'] ?? '',
    accept: 'application/json',
  },
});
console.log(response.status, await response.text());
