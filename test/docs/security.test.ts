import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPage, rowsOf } from '../support/pages.ts';
import { root } from '../support/sources.ts';

const [, defended = ''] = readPage('SECURITY.md').split('## What is defended');
const threats = rowsOf(defended.split('\n## ')[0] ?? '');

describe('the threats of SECURITY.md', () => {
  it('have a defence and a test each', () => {
    expect(threats.length).toBeGreaterThan(20);
    for (const cells of threats) {
      expect(cells).toHaveLength(3);
      expect(cells.every((cell) => cell !== '')).toBe(true);
    }
  });

  it.each(threats.map(([threat = '', , tests = '']) => [threat, tests]))(
    '%s is shown by files that exist',
    (_, tests) => {
      const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file);
      expect(files).not.toEqual([]);
      expect(files.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
      expect(files.filter((file) => !/^(test|tools)\/.*\.ts$/.test(file))).toEqual([]);
    },
  );
});
