/*
 * A test of your own code against the emulator, with the tools of Node.
 *
 *   node --test test-with-the-emulator.ts
 */
import { equal, rejects } from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AuthorizationRequiredError, openKeeper, OutcomeUncertainError } from 'evergrant';
import { startEmulator } from 'evergrant/emulator';

await test('a job survives a lost answer, and says so when consent is gone', async (t) => {
  await using emulator = await startEmulator({ rotation: 'single-use' });
  const home = await mkdtemp(join(tmpdir(), 'evergrant-'));
  t.after(() => rm(home, { recursive: true }));
  await using keeper = await openKeeper({ home });
  const { refreshToken = '' } = await emulator.issueGrant();
  const { tokenEndpoint } = emulator;
  const job = await keeper.add('job', {
    provider: 'perspio',
    client: { clientId: 'perspio-demo', clientSecret: 'demo~secret+1' },
    tokens: { refreshToken },
    overrides: { tokenEndpoint, insecureLoopback: true, rotation: 'single-use' },
  });

  // A hundred callers, one request.
  await Promise.all(Array.from({ length: 100 }, () => job.token()));
  equal(emulator.ledger.count({ endpoint: 'token' }), 1);

  // An answer is lost, and the refresh token may be used up; the access token at hand is served on.
  emulator.faults.next('cut-before-commit');
  await rejects(job.refresh(), OutcomeUncertainError);
  equal(emulator.isAccessTokenAlive((await job.token()).value), true);

  // The person's sessions are revoked.
  emulator.revokeUser('demo@perspio.io');
  await rejects(job.refresh({ anyway: true }), AuthorizationRequiredError);
  equal((await job.status()).state, 'attention');
});
