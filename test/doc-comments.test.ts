import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { root, sourceFiles } from './support/sources.ts';

/*
 * Every export of src/ says what it promises, and so does every member of an exported interface or class that a user or another part can
 * meet. Inside the emulator and the command line, which nobody imports, a member may speak for itself. A member that implements or overrides
 * a documented one inherits its comment.
 */
const doors = ['src/index.ts', 'src/token-endpoint.ts', 'src/emulator/emulator.ts'];
const inner = /^src\/(?:cli|emulator)\//;

const files = sourceFiles().map((file) => path.join(root, file));
const program = ts.createProgram(files, {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.NodeNext,
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  types: [],
});
const checker = program.getTypeChecker();

const visible = new Set(doors.map((door) => path.join(root, door)).flatMap(exportsOf));

it('every export and every member of one has a doc comment', () => {
  const missing = files.flatMap((file) => {
    const source = program.getSourceFile(file);
    if (source === undefined) throw new Error(`${file} was not read`);
    return declarationsOf(source)
      .filter((declaration) => !isDocumented(declaration))
      .map((declaration) => describeNode(source, declaration));
  });
  expect(missing).toEqual([]);
});

/** The declarations that a file exports, and the public members of those that are interfaces or classes. */
function declarationsOf(source: ts.SourceFile): ts.Declaration[] {
  const isInner = inner.test(path.relative(root, source.fileName));
  return exportsOf(source.fileName)
    .filter((declaration) => declaration.getSourceFile() === source)
    .flatMap((declaration) =>
      isInner && !visible.has(declaration)
        ? [declaration]
        : [declaration, ...membersOf(declaration)],
    );
}

/** Everything that can be imported from a file, wherever it was declared. */
function exportsOf(file: string): ts.Declaration[] {
  const source = program.getSourceFile(file);
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) return [];
  return checker.getExportsOfModule(module).flatMap((symbol) => resolve(symbol).declarations ?? []);
}

function resolve(symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

function membersOf(declaration: ts.Declaration): readonly ts.Declaration[] {
  if (ts.isInterfaceDeclaration(declaration)) return declaration.members;
  if (ts.isClassDeclaration(declaration)) return declaration.members.filter(isPublic);
  return [];
}

function isPublic(member: ts.ClassElement): boolean {
  if (ts.isClassStaticBlockDeclaration(member)) return false;
  // `#name` is hidden, and the language says what `[Symbol.asyncDispose]` and its kin do.
  if (member.name !== undefined && !ts.isIdentifier(member.name)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Override;
  return (ts.getCombinedModifierFlags(member) & hidden) === 0;
}

function isDocumented(declaration: ts.Declaration): boolean {
  const holder = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  if (ts.getJSDocCommentsAndTags(holder).length > 0) return true;
  const name = ts.getNameOfDeclaration(declaration);
  const symbol = name === undefined ? undefined : checker.getSymbolAtLocation(name);
  return (symbol?.getDocumentationComment(checker) ?? []).length > 0;
}

function describeNode(source: ts.SourceFile, declaration: ts.Declaration): string {
  const { line } = source.getLineAndCharacterOfPosition(declaration.getStart(source));
  const firstLine = declaration.getText(source).split('\n')[0] ?? '';
  return `${path.relative(root, source.fileName)}:${line + 1} ${firstLine}`;
}
