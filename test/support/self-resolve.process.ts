import { registerHooks } from 'node:module';

/*
 * Loaded with `--import`, lets a process import the package under its own name without a build: each door leads to its source.
 */
const doors: Readonly<Record<string, string>> = {
  evergrant: '../../src/index.ts',
  'evergrant/oauth': '../../src/token-endpoint.ts',
  'evergrant/emulator': '../../src/emulator/emulator.ts',
};

registerHooks({
  resolve(specifier, context, next) {
    const door = doors[specifier];
    if (door === undefined) return next(specifier, context);
    return { url: new URL(door, import.meta.url).href, shortCircuit: true };
  },
});
