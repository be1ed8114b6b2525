import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { withoutFailpoints } from '../tools/without-failpoints.ts';
import { root, sourceFiles } from './support/sources.ts';

/*
 * A defence that can be switched off is one whose test was seen to fail. Here every switch in src is held against the tests that turn it.
 */

/** Each switch, and the test that is red under it: there it is switched off, and the breach expected. */
const WITNESSES: Readonly<Record<string, string>> = {
  'awaited-spills': 'test/unit/keeper/unwritable.test.ts',
  bodiless: 'test/unit/daemon/matrix.test.ts',
  'both-families': 'test/unit/daemon/localhost.test.ts',
  'browser-origin-check': 'test/unit/daemon/sessions.test.ts',
  'call-registration': 'test/unit/daemon/proxy/changed.test.ts',
  'calls-under-way': 'test/unit/daemon/under-way.test.ts',
  claim: 'test/faults/sabotage.test.ts',
  'consent-browser': 'test/unit/daemon/links/links.test.ts',
  'daemon-host-check': 'test/unit/daemon/matrix.test.ts',
  'generation-check': 'test/faults/sabotage.test.ts',
  'heal-again': 'test/unit/keeper/uncertain.test.ts',
  'hop-by-hop': 'test/attacks/attacks.test.ts',
  'host-check': 'test/attacks/attacks.test.ts',
  'hung-endpoint': 'test/unit/refresh/background.test.ts',
  intent: 'test/faults/sabotage.test.ts',
  jitter: 'test/unit/keeper/background.test.ts',
  'late-grant': 'test/unit/keeper/overtaken.test.ts',
  'link-maker': 'test/unit/daemon/links/links.test.ts',
  'origin-check': 'test/unit/daemon/matrix.test.ts',
  'owner-check': 'test/faults/sabotage.test.ts',
  'parents-check': 'test/unit/system/parents.test.ts',
  pilot: 'test/unit/keeper/refusals.test.ts',
  'private-address': 'test/attacks/attacks.test.ts',
  'proxy-path': 'test/attacks/attacks.test.ts',
  redaction: 'test/attacks/attacks.test.ts',
  'redirect-origin': 'test/attacks/attacks.test.ts',
  'refused-token': 'test/unit/connection/verdict.test.ts',
  'replay-room': 'test/unit/daemon/proxy/replay-room.test.ts',
  reread: 'test/faults/sabotage.test.ts',
  reserve: 'test/faults/sabotage.test.ts',
  'retry-after': 'test/unit/keeper/outage.test.ts',
  'seal-binding': 'test/attacks/attacks.test.ts',
  'set-back': 'test/unit/keeper/background.test.ts',
  'settle-apart': 'test/contract/sqlite.test.ts',
  'shared-breaker': 'test/unit/keeper/outage.test.ts',
  'size-cap': 'test/attacks/attacks.test.ts',
  standing: 'test/unit/daemon/standing.test.ts',
  'state-check': 'test/attacks/attacks.test.ts',
  'store-before-serve': 'test/faults/sabotage.test.ts',
  sync: 'test/faults/sabotage.test.ts',
  'terminal-stop': 'test/unit/keeper/refusals.test.ts',
  'webhook-lease': 'test/unit/daemon/webhooks.test.ts',
  'webhook-order': 'test/unit/daemon/webhooks.test.ts',
};

/** These switch off what a table names, one defence after the other. */
const BY_TABLE = ['test/faults/sabotage.test.ts', 'test/attacks/attacks.test.ts'];

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** Every call of `sabotaged` in src, without its declaration. */
const calls = sourceFiles()
  .filter((file) => file !== 'src/system/failpoints.ts')
  .flatMap((file) => [...read(file).matchAll(/\bsabotaged\(([^)]*)\)/g)])
  .map(([, argument = '']) => argument);

describe('the switches of sabotage', () => {
  it('are named in place, so that the build finds each of them', () => {
    expect(calls.filter((argument) => !/^'[a-z-]+'$/.test(argument))).toEqual([]);
  });

  it('have a witness each, and every witness has its switch', () => {
    const switches = new Set(calls.map((argument) => argument.slice(1, -1)));
    expect([...switches].sort()).toEqual(Object.keys(WITNESSES).sort());
  });

  it.each(Object.entries(WITNESSES))('%s is switched off by %s', (name, file) => {
    const text = read(file);
    if (BY_TABLE.includes(file)) {
      expect(text).toMatch(/setSabotage\(\w+, (true|name === defence)\)/);
      expect(text).toMatch(new RegExp(`^  '?${name}'?: `, 'm'));
    } else {
      expect(text).toContain(`setSabotage('${name}', true)`);
      expect(text).toMatch(
        new RegExp(`setSabotage\\(\\w+, false\\)|setSabotage\\('${name}', false\\)`),
      );
    }
  });
});

it('the build leaves no call of a switch or a failpoint in any file', () => {
  const transform = withoutFailpoints.transform as (code: string) => string | undefined;
  const marked = sourceFiles().filter((file) => read(file).includes("from '#failpoints'"));
  expect(marked.length).toBeGreaterThan(10);
  const left = marked.filter((file) =>
    /\b(sabotaged|failpoint)\s*\(/.test(transform(read(file)) ?? read(file)),
  );
  expect(left).toEqual([]);
});
