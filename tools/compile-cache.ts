import { fileURLToPath } from 'node:url';

/*
 * Imported for its effect: processes that are started from here on keep what Node made of our TypeScript, and start in a third of the time.
 * The folder goes with node_modules; Node itself notices a source or a version that has changed.
 */

process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('../node_modules/.cache/node-compile-cache', import.meta.url),
);
