import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES, exitCodeOf } from '../../src/cli/exit-codes.ts';
import * as errors from '../../src/errors.ts';
import { readPage, rowsOf, sectionsOf } from '../support/pages.ts';
import { root, sourceFiles } from '../support/sources.ts';

const page = readPage('docs/errors.md');

/** Codes by the heading they stand under: `ConfigurationError, exit code 2`. */
const documented = new Map(
  [...sectionsOf(page, 2)]
    .map(([heading, text]) => [heading, codesIn(text)] as const)
    .filter(([, codes]) => codes.length > 0),
);
const classes = new Map(
  [...documented.keys()].map(
    (heading) => [heading, /^(\w+), exit code (\d+)$/.exec(heading) ?? []] as const,
  ),
);
const thrown = thrownCodes();

describe('docs/errors.md', () => {
  it('lists every code once, and no other', () => {
    expect([...documented.values()].flat().sort()).toEqual([...knownCodes()].sort());
  });

  it('lists every class that has codes', () => {
    const names = [...classes.values()].map(([, name]) => name);
    const known = Object.keys(errors).filter((name) => name !== 'EvergrantError');
    expect(names.sort()).toEqual(known.sort());
  });

  it.each([...classes])('names the exit code of %s', (_, [, name = '', code]) => {
    const errorClass = errors[name as keyof typeof errors];
    const error: unknown = Object.create(errorClass.prototype);
    expect(exitCodeOf(error)).toBe(Number(code));
    expect(EXIT_CODES.has(Number(code))).toBe(true);
  });

  it.each([...classes])('puts under %s what is thrown as such', (heading, [, name = '']) => {
    const elsewhere = documented
      .get(heading)
      ?.filter((code) => thrown.get(code)?.has(name) === false);
    expect(elsewhere).toEqual([]);
  });

  it('gives each code a cause and a remedy', () => {
    const rows = [...documented.keys()].flatMap((heading) =>
      rowsOf(sectionsOf(page, 2).get(heading) ?? ''),
    );
    const short = rows.filter(([, cause = '', remedy = '']) => !cause.trim() || !remedy.trim());
    expect(short).toEqual([]);
  });

  it('knows no code that nothing throws', () => {
    expect([...knownCodes()].filter((code) => !thrown.has(code))).toEqual([]);
  });
});

function codesIn(text: string): string[] {
  return rowsOf(text).flatMap(([first = '']) => /^`(ERR_\w+)`$/.exec(first)?.[1] ?? []);
}

/** Members of the type `ErrorCode`. */
function knownCodes(): Set<string> {
  return new Set(stringsIn('src/errors.ts').flatMap(({ text, isType }) => (isType ? [text] : [])));
}

/** Every code that the sources mention, with the classes made from it directly. */
function thrownCodes(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const file of sourceFiles().filter((name) => !name.startsWith('src/cli/'))) {
    for (const { text, isType, maker } of stringsIn(file)) {
      if (isType) continue;
      const makers = found.get(text) ?? new Set();
      if (maker !== undefined) makers.add(maker);
      found.set(text, makers);
    }
  }
  return new Map([...found].map(([code, makers]) => [code, orAnything(makers)]));
}

/** A code that is only handed on says nothing of its class. */
function orAnything(makers: Set<string>): Set<string> {
  return makers.size > 0 ? makers : new Set(Object.keys(errors));
}

interface CodeInSource {
  readonly text: string;
  /** Whether it stands in a type. */
  readonly isType: boolean;
  /** The class whose constructor gets it. */
  readonly maker: string | undefined;
}

function stringsIn(file: string): CodeInSource[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: CodeInSource[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) && /^ERR_[A-Z_]+$/.test(node.text)) {
      found.push({
        text: node.text,
        isType: ts.isLiteralTypeNode(node.parent),
        maker: makerOf(node.parent),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function makerOf(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node)) return node.expression.getText();
  const isSuper = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.SuperKeyword;
  if (!isSuper) return undefined;
  return ts.findAncestor(node, ts.isClassDeclaration)?.name?.text;
}
