import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import builds from '../tsdown.config.ts';
import { readImports, root, sourceFiles } from './support/sources.ts';

/*
 * The arrows of ARCHITECTURE.md. A line names a part of src/ and the parts that it may import; what follows `types:` it may import as
 * types only. A part is a folder of src/, a file beside them, or the store's adapter. Two rules need no line: a part may import
 * itself, and `errors`, `secret`, `loopback` and `#failpoints` may be imported by all but `emulator`.
 */
const arrows = `
index           -> keeper, access-token; types: keeper-api, remote, settings, refresh, authorize, resource, connection, oauth, providers, store, system
cli             -> keeper, remote, daemon, emulator, demo, providers, settings, system; types: keeper-api, access-token, refresh, authorize, resource, connection, oauth, store
daemon          -> oauth, resource, system; types: keeper-api, access-token, settings, connection, store
dashboard       ->
demo            -> keeper, emulator, providers, system; types: keeper-api
keeper          -> remote, refresh, authorize, resource, connection, access-token, token-endpoint, oauth, settings, store, store/sqlite, providers, system; types: keeper-api
remote          -> access-token, resource, settings, system; types: keeper-api
keeper-api      -> types: access-token, connection, providers
refresh         -> token-endpoint, access-token, connection, oauth, providers, system; types: keeper-api, store
authorize       -> token-endpoint, access-token, connection, oauth; types: keeper-api, store, system, providers
resource        -> token-endpoint, access-token, connection, oauth; types: keeper-api, store, system, providers
token-endpoint  -> oauth, system
connection      -> oauth
oauth           ->
access-token    ->
store           -> connection, system; types: oauth
store/sqlite    -> store, connection, system
providers       -> types: oauth, connection
settings        -> system; types: connection
system          ->
emulator        -> system
errors          ->
secret          ->
loopback        ->
`.trim();

const everywhere = ['errors', 'secret', 'loopback', '#failpoints'];

interface Allowed {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

const table = new Map<string, Allowed>(
  arrows.split('\n').map((line) => {
    const [part = '', targets = ''] = line.split('->').map((half) => half.trim());
    const [values = '', types = ''] = targets.split('types:');
    return [part, { values: names(values), types: names(types) }];
  }),
);

function names(list: string): string[] {
  return list.split(/[,;\s]+/).filter(Boolean);
}

/** The part of src/ that a file belongs to. */
function partOf(file: string): string {
  const [folder = '', next = ''] = file.replace(/^src\//, '').split('/');
  const adapter = `${folder}/${next}`;
  return table.has(adapter) ? adapter : folder.replace(/\.ts$/, '');
}

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Every arrow between two files of src/, or from a file to `#failpoints`. */
function readArrows(): Arrow[] {
  return sourceFiles().flatMap((from) =>
    readImports(from)
      .filter(({ specifier }) => specifier.startsWith('.') || specifier.startsWith('#'))
      .map(({ specifier, typeOnly }) => ({
        from,
        to: specifier.startsWith('#') ? specifier : path.posix.join(path.dirname(from), specifier),
        typeOnly,
      })),
  );
}

function isAllowed({ from, to, typeOnly }: Arrow): boolean {
  const part = partOf(from);
  const target = to.startsWith('#') ? to : partOf(to);
  if (part === target) return true;
  if (everywhere.includes(target) && part !== 'emulator') return true;
  const allowed = table.get(part);
  return (
    allowed !== undefined &&
    (allowed.values.includes(target) || (typeOnly && allowed.types.includes(target)))
  );
}

/** The first cycle among the arrows, as a path of files, or undefined. */
function findCycle(all: readonly Arrow[]): string[] | undefined {
  const next = Map.groupBy(all, ({ from }) => from);
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { to } of next.get(file) ?? []) {
      const cycle = walk(to, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of next.keys()) {
    const cycle = walk(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

describe('the parts of src/', () => {
  it('import each other only along the arrows', () => {
    const forbidden = readArrows()
      .filter((arrow) => !isAllowed(arrow))
      .map(({ from, to, typeOnly }) => `${from} -> ${to}${typeOnly ? ' (types)' : ''}`);
    expect(forbidden).toEqual([]);
  });

  it('have no cycle, types included', () => {
    expect(findCycle(readArrows())).toBeUndefined();
  });

  it('stand in the table, every one of them and no others', () => {
    const parts = new Set(sourceFiles().map(partOf));
    expect([...table.keys()].sort()).toEqual([...parts].sort());
  });

  it('have no barrel but the root', () => {
    expect(sourceFiles().filter((file) => file.endsWith('/index.ts'))).toEqual(
      sourceFiles().filter((file) => file === 'src/index.ts'),
    );
  });

  it('are drawn in ARCHITECTURE.md as this test knows them', () => {
    const [, shown] = /<!-- arrows -->\n+```\w*\n([^]*?)\n```/.exec(read('ARCHITECTURE.md')) ?? [];
    expect(shown).toBe(arrows);
  });
});

describe('the cold path of `evergrant token`', () => {
  it('loads no npm package', () => {
    const waiting = ['src/cli/start.ts', 'src/cli/token-process.ts', 'src/keeper.ts'];
    expect(waiting.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
    const seen = new Set(waiting);
    const packages: string[] = [];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      for (const { specifier, typeOnly, dynamic } of readImports(file)) {
        if (typeOnly || dynamic || specifier.startsWith('#')) continue;
        const target = path.posix.join(path.dirname(file), specifier);
        if (!specifier.startsWith('.') && !specifier.startsWith('node:')) {
          packages.push(`${file} loads ${specifier}`);
        } else if (specifier.startsWith('.') && !seen.has(target)) {
          seen.add(target);
          waiting.push(target);
        }
      }
    }
    expect(packages).toEqual([]);
  });
});

describe('the published package', () => {
  it('has empty failpoints', () => {
    expect(packageJson.imports['#failpoints'].default).toBe('./src/system/failpoints.ts');
    const source = ts.createSourceFile(
      '',
      read('src/system/failpoints.ts'),
      ts.ScriptTarget.Latest,
    );
    const bodies = source.statements.map((statement) =>
      ts.isFunctionDeclaration(statement)
        ? statement.body?.getText(source).replace(/[{}\s]/g, '')
        : statement.getText(source),
    );
    expect(bodies).toEqual(['', 'returnfalse;']);
  });

  it('exports only what the build makes', () => {
    const made = builds
      .filter(({ format }) => format === 'esm')
      .flatMap(({ entry }) => Object.keys(entry))
      .flatMap((name) => [`./dist/${name}.js`, `./dist/${name}.d.ts`]);
    const exported = Object.values(packageJson.exports).flatMap((target) =>
      typeof target === 'string' ? [] : Object.values(target),
    );
    expect(exported.filter((file) => !made.includes(file))).toEqual([]);
  });
});

describe('the tracked files', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
    .split('\0')
    .filter((file) => file !== '' && existsSync(path.join(root, file)));

  const foreign = [
    // A folder of the machine on which the project is written; not the tail of a URL or of a longer path.
    /(?<![\w.*/-])\/(?:work|root)\//,
    /\.\.\/shared\b/,
    /"resolved": "https?:/,
    /\bregistry\.[\w-]+\.\w+/,
  ];

  it('name no path of a machine and no registry', () => {
    const found = tracked.flatMap((file) => {
      const text = read(file);
      return foreign
        .filter((pattern) => pattern.test(text))
        .map((pattern) => `${file}: ${pattern}`);
    });
    expect(found).toEqual([]);
  });
});
