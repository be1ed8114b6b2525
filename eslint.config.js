import tsdoc from 'eslint-plugin-tsdoc';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/*
 * Besides the usual rules, this file keeps time, chance, files and the network behind src/system/: a test can then replace all of them.
 * Who may import whom inside src/ is the business of test/architecture.test.ts.
 */

const inject = 'belongs to src/system/; take it as an argument, so that a test can replace it';

const clockAndNetwork = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'fetch',
  'WebSocket',
  'EventSource',
].map((name) => ({ name, message: `${name} ${inject}` }));

const chance = [
  { object: 'Math', property: 'random', message: `Math.random ${inject}` },
  { object: 'crypto', property: 'getRandomValues', message: `randomness ${inject}` },
  { object: 'crypto', property: 'randomUUID', message: `randomness ${inject}` },
  { object: 'process', property: 'hrtime', message: `process.hrtime ${inject}` },
];

const streams = ['stdin', 'stdout', 'stderr'].map((property) => ({
  object: 'process',
  property,
  message: 'the streams belong to src/cli/',
}));

const files = ['node:fs', 'node:fs/promises', 'fs', 'fs/promises'];
const timers = ['node:timers', 'node:timers/promises', 'node:perf_hooks'];
const network = ['node:http', 'node:https', 'node:http2', 'node:net', 'node:tls', 'node:dgram'];

const randomness = [
  'default',
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'getRandomValues',
  'webcrypto',
];

/** What keeper.ts hands to everyone else. */
const realOnes = ['systemClock', 'systemRandom', 'systemFetch', 'nodeHttp'];

/** Modules that code outside src/system/ may not import, except those named. */
function restrictedModules(...allowed) {
  const forbidden = [...files, ...timers, ...network, 'node:sqlite'];
  return {
    paths: [
      ...forbidden
        .filter((name) => !allowed.includes(name))
        .map((name) => ({ name, message: `${name} ${inject}` })),
      { name: 'node:crypto', importNames: randomness, message: `randomness ${inject}` },
    ],
  };
}

export default defineConfig(
  { ignores: ['dist/', 'coverage/'] },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { tsdoc },
    rules: {
      eqeqeq: 'error',
      'max-depth': ['error', 4],
      'no-console': 'error',
      'tsdoc/syntax': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' },
      ],
      // `[...text]` splits into code points, which is what is wanted.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // `async` without `await` turns a throw into the rejection that the interface promises.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // `return fail(…)` ends a function early in one line.
      '@typescript-eslint/no-confusing-void-expression': 'off',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    // The dashboard has no process around it; one file of it names what browsers have.
    ignores: ['src/system/**', 'src/dashboard/browser.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        { globals: clockAndNetwork, checkGlobalObject: true, globalObjects: ['global'] },
      ],
      'no-restricted-properties': ['error', ...chance, ...streams],
      'no-restricted-imports': ['error', restrictedModules()],
    },
  },
  {
    files: ['src/{oauth,connection,refresh,authorize,resource,store,providers}/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '/system/', importNames: realOnes, message: 'the keeper hands it in' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/store/sqlite/**'],
    rules: { 'no-restricted-imports': ['error', restrictedModules('node:sqlite')] },
  },
  {
    files: ['src/emulator/**', 'src/daemon/**', 'src/remote/**', 'src/authorize/loopback.ts'],
    rules: { 'no-restricted-imports': ['error', restrictedModules(...network)] },
  },
  {
    // Its parts are closures behind interfaces: there is no `this` to lose.
    files: ['src/emulator/**'],
    rules: { '@typescript-eslint/unbound-method': 'off' },
  },
  {
    files: ['src/cli/**', 'src/emulator/main.ts'],
    rules: { 'no-restricted-properties': ['error', ...chance] },
  },
  {
    files: ['test/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[property.name=/^(runIf|skipIf|todo)$/]',
          message: 'A test that is not run says why: context.skip(reason).',
        },
        {
          selector: "CallExpression[callee.property.name='skip'][arguments.length=0]",
          message: 'Say why: context.skip(reason).',
        },
        {
          selector: "MemberExpression[object.name=/^(it|test|describe)$/][property.name='skip']",
          message: 'A test that is not run says why: context.skip(reason).',
        },
      ],
    },
  },
  {
    files: ['test/**', 'bench/**', 'examples/**', 'tools/**', '*.ts'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
