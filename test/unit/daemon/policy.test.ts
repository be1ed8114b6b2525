import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coversAll, refusalOf, type Ask } from '../../../src/daemon/access/policy.ts';
import type { Policy, Verb } from '../../../src/store/access-store.ts';

/** The same in ten lines, by other means: a pattern becomes a regular expression, and all conditions are one expression. */
function mayReference({ connections, verbs, hosts, methods, paths }: Policy, ask: Ask): boolean {
  const like = (patterns: readonly string[], text: string, flags = ''): boolean =>
    patterns.some((p) => {
      const escaped = p.split('*').map((part) => part.replace(/[^a-z0-9]/gi, '\\$&'));
      return new RegExp(`^${escaped.join('[^]*')}$`, flags).test(text);
    });
  const { verb, connection, call } = ask;
  if (!verbs.includes(verb) || !like(connections, connection)) return false;
  if (call === undefined) return verb !== 'proxy';
  const literal = (list: readonly string[], text: string): boolean =>
    list.map((one) => one.toLowerCase()).includes(text.toLowerCase());
  return (
    literal(hosts ?? [call.host], call.host) &&
    literal(methods ?? [call.method], call.method) &&
    like(paths ?? ['*'], call.path)
  );
}

const VERBS: Verb[] = ['token', 'proxy', 'read', 'manage'];
const verb = fc.constantFrom(...VERBS);
/** Few letters, so that patterns and names meet often. */
const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), minLength: 1, maxLength: 5 });
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '-'), maxLength: 6 });
const host = fc.constantFrom('api.example', 'API.example', 'api.example:8443', 'other.example');
const method = fc.constantFrom('GET', 'get', 'POST', 'DELETE');
const path = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '*', '.'), maxLength: 6 });

/** Half of them grant something, so that neither answer is rare. */
const often = <T>(one: fc.Arbitrary<T>, all: T): fc.Arbitrary<T> =>
  fc.oneof(one, one, fc.constant(all));

const policy: fc.Arbitrary<Policy> = fc.record(
  {
    connections: often(fc.array(pattern, { maxLength: 3 }), ['a*', '*b*']),
    verbs: often(fc.subarray(VERBS), VERBS),
    hosts: often(fc.array(host, { maxLength: 2 }), ['api.example', 'api.example:8443']),
    methods: often(fc.array(method, { maxLength: 2 }), ['get', 'POST']),
    paths: often(fc.array(path, { maxLength: 3 }), ['*/*']),
  },
  { requiredKeys: ['connections', 'verbs'] },
);
const ask: fc.Arbitrary<Ask> = fc.record(
  { verb, connection: name, call: fc.record({ host, method, path }) },
  { requiredKeys: ['verb', 'connection'] },
);

describe('a policy', () => {
  it('grants what the reference grants, and nothing else', () => {
    let granted = 0;
    fc.assert(
      fc.property(policy, ask, (given, asked) => {
        const isGranted = refusalOf(given, asked) === undefined;
        granted += Number(isGranted);
        expect(isGranted).toBe(mayReference(given, asked));
      }),
      { numRuns: 10_000 },
    );
    // Neither answer is rare, or the comparison would say little.
    expect(granted).toBeGreaterThan(300);
    expect(granted).toBeLessThan(9_700);
  });

  it.each([
    ['perspio', 'perspio', true],
    ['perspio', 'perspio2', false],
    ['perspio-*', 'perspio-eu', true],
    ['*-eu', 'perspio-eu', true],
    ['a*a', 'a', false],
    ['a*b*c', 'axxbxc', true],
    ['', 'a', false],
    ['*', 'anything', true],
    ['.*', 'abc', false],
  ])('for %j reaches %j: %s', (one, connection, is) => {
    const given: Policy = { connections: [one], verbs: ['read'] };
    expect(refusalOf(given, { verb: 'read', connection }) === undefined).toBe(is);
  });

  it('is judged in no time, whatever its patterns', () => {
    const hostile = { connections: [`${'a*'.repeat(200)}b`], verbs: ['read'] } as const;
    expect(refusalOf(hostile, { verb: 'read', connection: 'a'.repeat(128) })).toBeDefined();
  });

  it('covers all connections by a lone star only', () => {
    expect(coversAll({ connections: ['a', '*'], verbs: [] })).toBe(true);
    expect(coversAll({ connections: ['**', 'a*'], verbs: [] })).toBe(false);
  });
});
