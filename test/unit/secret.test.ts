import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/secret.ts';

describe('a secret', () => {
  it('equals one of the same characters, and no other', () => {
    const secret = new Secret('grüße');
    expect(secret.equals(new Secret('grüße'))).toBe(true);
    for (const other of ['', 'grüß', 'grüßen', 'Grüße']) {
      expect(secret.equals(new Secret(other))).toBe(false);
    }
  });

  it('shows nothing of itself', () => {
    const secret = new Secret('hidden');
    const shown = [
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true }),
    ];
    expect(shown.join(' ')).not.toContain('hidden');
    expect(Object.keys(secret)).toEqual([]);
  });
});
