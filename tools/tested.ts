import { spawnSync } from 'node:child_process';

/*
 * Experiments that are tests of `npm test`: most run on a clock that the test moves, so that an hour costs nothing.
 */

/** Each with its test file, and what the names of its tests begin with where the file holds more. */
export const TESTED: Readonly<Record<string, readonly [file: string, tests?: string]>> = {
  'damaged-answers': ['test/unit/keeper/uncertain.test.ts'],
  'damaged-stores': ['test/unit/store/damage.test.ts'],
  'key-rotation-kills': ['test/unit/store/key-rotation-kills.test.ts'],
  'sealed-values': ['test/unit/store/sealing.test.ts'],
  'wrong-keys': ['test/unit/store/master-key.test.ts'],
  callers: ['test/unit/keeper/single-flight.test.ts', 'one refresh an expiry'],
  locks: ['test/unit/store/locks.test.ts'],
  'lost-answers': ['test/faults/lost-answers.test.ts'],
  'other-connections': ['test/unit/keeper/single-flight.test.ts', 'different connections'],
  overtaken: ['test/unit/keeper/overtaken.test.ts'],
  'api-clocks': ['test/unit/keeper/lives.test.ts', 'an API whose clock differs'],
  'no-needless-wait': ['test/unit/keeper/outage.test.ts', 'while the access token lives'],
  'clock-jumps': ['test/unit/keeper/background.test.ts', 'a clock that jumps'],
  'odd-lives': ['test/unit/keeper/lives.test.ts', 'what expires_in says'],
  spread: ['test/unit/connection/schedule.test.ts'],
  'api-refusals': ['test/unit/keeper/api-calls.test.ts'],
  outage: ['test/unit/keeper/outage.test.ts', 'an outage of an hour'],
  'retry-after': ['test/unit/keeper/outage.test.ts', 'a server that asks to wait'],
  'refused-grant': ['test/unit/keeper/refusals.test.ts', 'a grant that the server refuses'],
  'entra-throttle': ['test/unit/keeper/refusals.test.ts', 'what Entra answers'],
  'refused-client': ['test/unit/keeper/refusals.test.ts', 'a client that the server refuses'],
  'many-failures': ['test/unit/keeper/outage.test.ts', 'three thousand failures'],
  'odd-refusals': ['test/unit/keeper/refusals.test.ts', 'a request that the server refuses'],
  'host-matrix': ['test/unit/daemon/matrix.test.ts'],
  'key-policies': ['test/unit/daemon/policy.test.ts'],
  'proxy-redirects': ['test/unit/daemon/proxy/redirects.test.ts'],
  'open-proxy': ['test/attacks/attacks.test.ts', 'no spelling'],
  'token-redirects': ['test/attacks/attacks.test.ts', 'no redirect'],
  'notice-channel': ['test/unit/keeper/notices.test.ts'],
};

/** Those of them that depend on chance or on the instant: how many times as much a trial does as the test. All others come out the same each time. */
export const MULTIPLIED: Readonly<Record<string, number>> = {
  'damaged-stores': 8,
  'key-rotation-kills': 17,
  'other-connections': 10,
  'api-clocks': 4,
  'many-failures': 4,
  'sealed-values': 10,
};

/**
 * Runs one of them.
 *
 * @param times - as much as in the test.
 * @returns the exit code of the tests.
 */
export function runTested(name: string, times: number): number {
  const [file = '', tests] = TESTED[name] ?? [];
  const pattern = tests === undefined ? [] : ['-t', tests];
  const env = { ...process.env, EVERGRANT_TIMES: String(times) };
  const { status } = spawnSync('vitest', ['run', file, ...pattern], { stdio: 'inherit', env });
  return status ?? 1;
}
