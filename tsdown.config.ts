import type { UserConfig } from 'tsdown';
import { writeLicences } from './tools/third-party-licences.ts';
import { withoutFailpoints } from './tools/without-failpoints.ts';

export default {
  entry: {
    index: 'src/index.ts',
    'token-endpoint': 'src/token-endpoint.ts',
    'emulator/emulator': 'src/emulator/emulator.ts',
    'cli/main': 'src/cli/main.ts',
  },
  root: 'src',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  fixedExtension: false,
  dts: true,
  // Drops what the plugin made unreachable; names and comments stay.
  minify: 'dce-only',
  plugins: [withoutFailpoints],
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
      writeLicences(chunks, options.outDir);
    },
  },
} satisfies UserConfig;
