import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readExports } from '../support/members.ts';
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

const types = readExports(Object.values(doors));

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
    expect(namesIn(section.body).sort()).toEqual(
      types.membersOf(section.file, section.name).sort(),
    );
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

function variablesRead(): Set<string> {
  const texts = [...sourceFiles(), 'bin/evergrant.cjs'].map((file) =>
    readFileSync(path.join(root, file), 'utf8'),
  );
  return new Set(texts.join('\n').match(/EVERGRANT_[A-Z]\w*/g));
}
