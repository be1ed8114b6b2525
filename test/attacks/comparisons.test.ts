import ts from 'typescript';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root, sourceFiles } from '../support/sources.ts';

/*
 * Secrets are compared by `Secret.equals`, whose time tells nothing. An operator would stop at the first character that differs.
 */

const OPERATORS = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.GreaterThanToken,
]);

/** Comparisons of something revealed with anything but the empty string, and searches for it. */
function comparisonsIn(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2024, true);
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && OPERATORS.has(node.operatorToken.kind)) {
      const sides = [node.left.getText(), node.right.getText()];
      const isRevealed = sides.some((side) => /\breveal\(\)$/.test(side));
      if (isRevealed && !sides.includes("''")) found.push(`${file}: ${node.getText()}`);
    }
    if (
      ts.isCallExpression(node) &&
      /\breveal\(\)\.(startsWith|endsWith|includes|indexOf|localeCompare)$/.test(
        node.expression.getText(),
      )
    )
      found.push(`${file}: ${node.getText()}`);
    ts.forEachChild(node, look);
  };
  look(source);
  return found;
}

it('finds a comparison that tells by its time', () => {
  expect(comparisonsIn('a.ts', 'if (token.reveal() === given) go();')).toHaveLength(1);
  expect(comparisonsIn('a.ts', 'if (given !== token?.reveal()) go();')).toHaveLength(1);
  expect(comparisonsIn('a.ts', 'token.reveal().startsWith(given);')).toHaveLength(1);
  expect(comparisonsIn('a.ts', "if (token.reveal() !== '') go();")).toEqual([]);
});

it('there is none in src', () => {
  const files = sourceFiles().filter((file) => !file.startsWith('src/emulator/'));
  expect(
    files.flatMap((file) => comparisonsIn(file, readFileSync(path.join(root, file), 'utf8'))),
  ).toEqual([]);
});
