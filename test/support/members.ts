import path from 'node:path';
import ts from 'typescript';
import { root } from './sources.ts';

/** The types of some files of the project, as a reader of their exports sees them. */
export interface ExportedTypes {
  /** Members that a type declares itself; for one made of others, all. */
  membersOf(file: string, name: string): string[];
  /** The strings that a union of strings is made of. */
  stringsOf(file: string, name: string): string[];
}

/** Reads files of the project. @throws Error when a name is asked for that a file does not export. */
export function readExports(files: readonly string[]): ExportedTypes {
  const program = ts.createProgram(
    files.map((file) => path.join(root, file)),
    {
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.NodeNext,
      allowImportingTsExtensions: true,
      noEmit: true,
      strict: true,
      types: [],
    },
  );
  const checker = program.getTypeChecker();
  const find = (file: string, name: string): ts.Symbol => {
    const source = program.getSourceFile(path.join(root, file));
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    const exported = module === undefined ? [] : checker.getExportsOfModule(module);
    const found = exported.find((symbol) => symbol.name === name);
    if (found === undefined) throw new Error(`${file} exports no ${name}`);
    const isAlias = (found.flags & ts.SymbolFlags.Alias) !== 0;
    return isAlias ? checker.getAliasedSymbol(found) : found;
  };
  return {
    membersOf(file, name) {
      const symbol = find(file, name);
      const declaration = symbol.declarations?.[0];
      if (declaration !== undefined && ts.isInterfaceDeclaration(declaration)) {
        return declaration.members.flatMap(nameOf);
      }
      const members = checker.getDeclaredTypeOfSymbol(symbol).getProperties();
      return members.map((member) => member.name);
    },
    stringsOf(file, name) {
      const type = checker.getDeclaredTypeOfSymbol(find(file, name));
      const parts = type.isUnion() ? type.types : [type];
      return parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : []));
    },
  };
}

function nameOf({ name }: ts.TypeElement): string[] {
  if (name === undefined) return [];
  return [ts.isStringLiteral(name) ? name.text : name.getText()];
}
