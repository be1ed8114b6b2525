import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './sources.ts';

/** One fenced block of a page. */
export interface Block {
  /** Page and line, such as `docs/perspio.md:12`. */
  readonly where: string;
  /** What follows the fence, such as `ts`. */
  readonly language: string;
  /** What stands between the fences. */
  readonly text: string;
}

/** Every page that a user reads, relative to the root. */
export function pages(): string[] {
  const top = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'ARCHITECTURE.md'];
  const docs = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return [...top, ...docs.map((name) => `docs/${name}`)];
}

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(path.join(root, page), 'utf8');
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const text = readPage(page);
  return [...text.matchAll(/^( *)```(\w+)\n(.*?)^\1```$/gms)].map((match) => {
    const [, , language = '', inner = ''] = match;
    const line = text.slice(0, match.index).split('\n').length + 1;
    return { where: `${page}:${line}`, language, text: inner };
  });
}

/** The cells of every table row of a text, without the heads and the lines below them. */
export function rowsOf(text: string): string[][] {
  const lines = text.split('\n');
  const isRule = (line: string | undefined): boolean => /^\|[\s:|-]+\|$/.test(line ?? '');
  return lines
    .filter((line, i) => line.startsWith('|') && !isRule(line) && !isRule(lines[i + 1]))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** The parts of a text below headings of a level, by heading; deeper headings stay inside. */
export function sectionsOf(text: string, level: number): Map<string, string> {
  const mark = '#'.repeat(level);
  const parts = text.split(new RegExp(`^${mark} `, 'm')).slice(1);
  return new Map(
    parts.map((part) => {
      const [heading = '', ...body] = part.split('\n');
      return [heading.trim(), body.join('\n')];
    }),
  );
}
