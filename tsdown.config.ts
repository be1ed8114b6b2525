import type { Rolldown, UserConfig } from 'tsdown';
import { writeLicences } from './tools/third-party-licences.ts';
import { withoutFailpoints } from './tools/without-failpoints.ts';

const common = {
  root: 'src',
  platform: 'node',
  target: 'node24',
  fixedExtension: false,
} satisfies UserConfig;

/** The library, the emulator and the whole command line. */
const modules = {
  ...common,
  entry: {
    index: 'src/index.ts',
    'token-endpoint': 'src/token-endpoint.ts',
    'emulator/emulator': 'src/emulator/emulator.ts',
    'cli/main': 'src/cli/main.ts',
  },
  format: 'esm',
  dts: true,
  // Drops what the plugin made unreachable; names and comments stay.
  minify: 'dce-only',
  plugins: [withoutFailpoints],
  // Else what the library and the command line share may be put into the file of the command line, which runs when it is loaded.
  inputOptions: { experimental: { chunkOptimization: false } },
  deps: {
    // The emulator brings its certificate library along, so that users of the library need not install it.
    onlyBundle: [
      /^@peculiar\//,
      'asn1js',
      'pvtsutils',
      'pvutils',
      'reflect-metadata',
      'tslib',
      'tsyringe',
    ],
  },
  hooks: {
    'build:done': ({ chunks, options }) => {
      writeLicences(chunks, options.outDir, 'The emulator of evergrant');
    },
  },
} satisfies UserConfig;

/** What the start of a process leaves to other files, which are built apart, so that each holds what it needs and no more. */
const BUILT_APART: Readonly<Record<string, string>> = {
  './token-process.ts': './token-process.cjs',
  './main.ts': './main.js',
};

const builtApart: Rolldown.Plugin = {
  name: 'built-apart',
  resolveId(id) {
    const file = BUILT_APART[id];
    return file === undefined ? undefined : { id: file, external: 'relative' };
  },
};

/** What a keeper loads where it is asked for more than a token. */
const forOtherCommands: Rolldown.Plugin = {
  name: 'for-other-commands',
  resolveId(id, _importer, { kind }) {
    const isLeftOut = kind === 'dynamic-import' && /\/(?:authorize|resource)\//.test(id);
    return isLeftOut ? { id: './left-out.cjs', external: 'relative' } : undefined;
  },
};

/** Writes other characters as escapes: Node reads and keeps text of ASCII alone in half the room, and faster. */
const onlyAscii: Rolldown.Plugin = {
  name: 'only-ascii',
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === 'chunk') file.code = file.code.replace(/[^\0-\x7f]/g, escaped);
    }
  },
};

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * `evergrant token` is run often, in a cold process each time. CommonJS in one file, without comments: to load the same code as many ES
 * modules takes several times as long. The start prints a token that needs no keeper; the other file is the way through a keeper.
 */
const quick = {
  ...common,
  format: 'cjs',
  dts: false,
  clean: false,
  minify: {
    compress: { keepNames: { function: false, class: true } },
    // Errors are told by the names of their classes.
    mangle: { keepNames: { function: false, class: true } },
    codegen: { removeWhitespace: true },
  },
  // With import() Node would load all that ES modules take.
  outputOptions: { codeSplitting: false, dynamicImportInCjs: false },
  checks: { legacyCjs: false },
} satisfies UserConfig;

const start = {
  ...quick,
  entry: { 'cli/start': 'src/cli/start.ts' },
  plugins: [withoutFailpoints, builtApart, onlyAscii],
} satisfies UserConfig;

const token = {
  ...quick,
  entry: { 'cli/token-process': 'src/cli/token-process.ts' },
  plugins: [withoutFailpoints, forOtherCommands, onlyAscii],
} satisfies UserConfig;

export default [modules, start, token];
