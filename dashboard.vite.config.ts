import path from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { writeLicences } from './tools/third-party-licences.ts';

const licences: Plugin = {
  name: 'licences',
  writeBundle({ dir = '' }, bundle) {
    writeLicences(Object.values(bundle), dir, 'The dashboard of evergrant');
  },
};

/** The dashboard: a page, a script and a style sheet, which the daemon serves. */
export default defineConfig({
  root: path.join(import.meta.dirname, 'src/dashboard'),
  publicDir: 'public',
  plugins: [licences],
  build: {
    outDir: path.join(import.meta.dirname, 'dist/dashboard'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // Nothing is inlined: the policy of the page allows files alone.
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
});
