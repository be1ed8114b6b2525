import path from 'node:path';
import { defineConfig } from 'vite';

/** The dashboard: a page, a script and a style sheet, which the daemon serves. */
export default defineConfig({
  root: path.join(import.meta.dirname, 'src/dashboard'),
  publicDir: 'public',
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
