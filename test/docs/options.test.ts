import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { readPage, rowsOf, sectionsOf } from '../support/pages.ts';
import { root, sourceFiles } from '../support/sources.ts';

/*
 * Each `###` section of docs/options.md names a type of one door and lists its members; what it extends is listed in the section of that.
 */

const page = readPage('docs/options.md');

const doors = {
  evergrant: 'src/index.ts',
  'evergrant/oauth': 'src/token-endpoint.ts',
  'evergrant/emulator': 'src/emulator/emulator.ts',
};

/** What must be there; more may be. */
const required = {
  evergrant: [
    'KeeperOptions',
    'Settings',
    'BeginOptions',
    'ClientOptions',
    'AddOptions',
    'ConnectOptions',
    'ConsentPrompt',
    'TokenOptions',
    'RefreshOptions',
    'ProfileOverrides',
  ],
  'evergrant/oauth': [
    'TokenRequestOptions',
    'RefreshOptions',
    'AuthorizationCodeOptions',
    'ClientCredentialsOptions',
    'AnswerDialect',
  ],
  'evergrant/emulator': ['EmulatorOptions', 'EmulatorClient', 'ApiLimits'],
};

const program = ts.createProgram(
  Object.values(doors).map((door) => path.join(root, door)),
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

const sections = Object.entries(doors).flatMap(([door, file]) => {
  const text = sectionsOf(page, 2).get(`\`${door}\``) ?? '';
  return [...sectionsOf(text, 3)].map(([name, body]) => ({ door, file, name, body }));
});

describe('docs/options.md', () => {
  it.each(Object.entries(required))('describes the options of %s', (door, names) => {
    const described = sections.filter((section) => section.door === door).map(({ name }) => name);
    expect(described).toEqual(expect.arrayContaining(names));
  });

  it.each(sections)('lists the members of $name of $door, and no other', (section) => {
    expect(namesIn(section.body).sort()).toEqual(membersOf(section.file, section.name).sort());
  });

  it('lists the variables of the environment that are read, and no other', () => {
    const listed = namesIn(sectionsOf(page, 2).get('Environment') ?? '');
    const own = listed.filter((name) => name.startsWith('EVERGRANT_'));
    expect(own.sort()).toEqual([...variablesRead()].sort());
  });
});

function namesIn(text: string): string[] {
  return rowsOf(text).flatMap(([first = '']) =>
    [...first.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  );
}

/** Members that a type declares itself; for one made of others, all. */
function membersOf(file: string, name: string): string[] {
  const source = program.getSourceFile(path.join(root, file));
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  const exported = module === undefined ? [] : checker.getExportsOfModule(module);
  const found = exported.find((symbol) => symbol.name === name);
  if (found === undefined) throw new Error(`${file} exports no ${name}`);
  const isAlias = (found.flags & ts.SymbolFlags.Alias) !== 0;
  const symbol = isAlias ? checker.getAliasedSymbol(found) : found;
  const declaration = symbol.declarations?.[0];
  if (declaration !== undefined && ts.isInterfaceDeclaration(declaration)) {
    return declaration.members.map((member) => member.name?.getText() ?? '');
  }
  return checker
    .getDeclaredTypeOfSymbol(symbol)
    .getProperties()
    .map((member) => member.name);
}

function variablesRead(): Set<string> {
  const texts = [...sourceFiles(), 'bin/evergrant.cjs'].map((file) =>
    readFileSync(path.join(root, file), 'utf8'),
  );
  return new Set(texts.join('\n').match(/EVERGRANT_[A-Z]\w*/g));
}
