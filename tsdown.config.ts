import { existsSync } from 'node:fs';
import type { UserConfig } from 'tsdown';
import { writeLicences } from './tools/third-party-licences.ts';

const entry = Object.fromEntries(
  ['index', 'token-endpoint', 'emulator/emulator', 'cli/main', 'cli/token']
    .map((name) => [name, `src/${name}.ts`] as const)
    .filter(([, file]) => existsSync(file)),
);

export default {
  entry,
  root: 'src',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  fixedExtension: false,
  dts: true,
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
    'build:done': ({ chunks, options }) => writeLicences(chunks, options.outDir),
  },
} satisfies UserConfig;
