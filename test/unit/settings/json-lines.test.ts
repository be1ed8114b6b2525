import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineOf, lineOfFault } from '../../../src/settings/json-lines.ts';

const FILE = `
{
  "a": 1,
  "list": [
    "x",
    { "deep": [1,
      2] }
  ],
  "daemon": {
    "log": "j\\"{s", "socket":
      "/s"
  }
}`;

describe('the line of a member', () => {
  it.each([
    [[], 2],
    [['a'], 3],
    [['list'], 4],
    [['list', 0], 5],
    [['list', 1, 'deep', 1], 7],
    [['daemon', 'log'], 10],
    [['daemon', 'socket'], 10],
    [['daemon', 'none'], 9],
    [['none', 'at', 'all'], 2],
  ])('%j stands in line %i', (path, line) => {
    expect(lineOf(FILE, path)).toBe(line);
  });

  it('is found in any JSON, one member a line', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.json(), (keys, value) => {
        const text = `{\n${keys.map((key) => `${JSON.stringify(key)}: ${value}`).join(',\n')}\n}`;
        expect(keys.map((key) => lineOf(text, [key]))).toEqual(keys.map((_, i) => i + 2));
      }),
    );
  });
});

describe('the line of a fault', () => {
  it.each([
    ['{\n"a": 1,\n}', 3],
    ['{\n"a" 1}', 2],
    ['{\n"a": [1,\n\n', 4],
  ])('%j: line %i', (text, line) => {
    let fault: unknown;
    try {
      JSON.parse(text);
    } catch (error) {
      fault = error;
    }
    expect(lineOfFault(text, fault)).toBe(line);
  });
});
