import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../src/resource/challenge.ts';

function read(field: string): unknown {
  return parseChallenges(field).map(({ scheme, parameters }) => [
    scheme,
    Object.fromEntries(parameters),
  ]);
}

describe('the challenges of a WWW-Authenticate field', () => {
  it.each([
    ['', []],
    ['Bearer', [['bearer', {}]]],
    ['Bearer error="invalid_token"', [['bearer', { error: 'invalid_token' }]]],
    ['Bearer error=invalid_token', [['bearer', { error: 'invalid_token' }]]],
    [
      'Bearer realm="", authorization_uri="https://as.example/a", error="insufficient_claims", claims="eyJhIjoxfQ=="',
      [
        [
          'bearer',
          {
            realm: '',
            authorization_uri: 'https://as.example/a',
            error: 'insufficient_claims',
            claims: 'eyJhIjoxfQ==',
          },
        ],
      ],
    ],
    ['Bearer claims=eyJhIjoxfQ==, error=x', [['bearer', { claims: 'eyJhIjoxfQ==', error: 'x' }]]],
    [
      'Basic realm="a, Bearer error=\\"x\\"", Bearer error="invalid_token"',
      [
        ['basic', { realm: 'a, Bearer error="x"' }],
        ['bearer', { error: 'invalid_token' }],
      ],
    ],
    [
      'Negotiate YWJj==, Bearer realm="r"',
      [
        ['negotiate', {}],
        ['bearer', { realm: 'r' }],
      ],
    ],
    [
      'Basic, Bearer, DPoP algs="ES256"',
      [
        ['basic', {}],
        ['bearer', {}],
        ['dpop', { algs: 'ES256' }],
      ],
    ],
    ['BEARER ERROR = "x" ,, error="y"', [['bearer', { error: 'x' }]]],
    ['error="invalid_token"', []],
    ['Bearer error="unclosed', [['bearer', { error: '"unclosed' }]]],
    ['(((, Bearer error="x"', [['bearer', { error: 'x' }]]],
  ])('%j', (field, challenges) => {
    expect(read(field)).toEqual(challenges);
  });

  it('are none when there is no field', () => {
    expect(parseChallenges(null)).toEqual([]);
  });

  it('never throw and always end, whatever the field holds', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(fc.constantFrom('Bearer', ' ', ',', '=', '"', '\\', 'a', '=='), fc.string()),
        ),
        (parts) => Array.isArray(parseChallenges(parts.join(''))),
      ),
    );
  });
});
