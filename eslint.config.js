import promise from 'eslint-plugin-promise'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

// Time, chance and the process come in through the Runtime, so that the same code runs in virtual
// time. Lint refuses the globals; the import directions are .dependency-cruiser.cjs's business.
const impureGlobals = [
  'performance',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'WeakRef',
  'FinalizationRegistry',
].map((name) => ({ name, message: 'Only src/node is impure: take it from the Runtime.' }))

const impureProperties = [
  { object: 'Date', property: 'now', message: 'Take the time from the Runtime.' },
  { object: 'Math', property: 'random', message: 'Take it from the Runtime.' },
  { object: 'AbortSignal', property: 'timeout', message: 'It reads the real clock.' },
  { object: 'AbortSignal', property: 'any', message: 'It keeps weak references to its sources.' },
]

const everywhere = {
  eqeqeq: 'error',
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true },
  ],
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
  ],

  // A floating promise is an unhandled rejection in waiting, and those end a user's process.
  // Those of node:test are awaited by its runner.
  '@typescript-eslint/no-floating-promises': [
    'error',
    { allowForKnownSafeCalls: [{ from: 'package', name: ['test'], package: 'node:test' }] },
  ],
  '@typescript-eslint/no-misused-promises': 'error',
  'promise/no-multiple-resolved': 'error',
  'promise/no-new-statics': 'error',
  'promise/no-return-in-finally': 'error',
  'promise/no-return-wrap': 'error',
  'promise/param-names': 'error',
  'promise/valid-params': 'error',

  // What follows would fight plain and fast code.
  // Public methods are plain functions that return `new Promise`: one promise per call, no more.
  'promise/avoid-new': 'off',
  '@typescript-eslint/promise-function-async': 'off',
  // An `async` without `await` turns a throw into a rejection, and satisfies an async interface.
  '@typescript-eslint/require-await': 'off',
  // `ring[head]!` after a check of the length: the compiler cannot know, and a test costs time.
  '@typescript-eslint/no-non-null-assertion': 'off',
  // A parameter used once still infers a literal type, or ties a reply to its request.
  '@typescript-eslint/no-unnecessary-type-parameters': 'off',
  // `for (;;)` and `while (true)` say what they mean.
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
  // Numbers, sizes and flags go into messages as they are.
  '@typescript-eslint/restrict-template-expressions': [
    'error',
    { allowNumber: true, allowBoolean: true },
  ],
  // `() => this.#forget(java)` and an early `return this.#fail()` are clearer than with braces.
  '@typescript-eslint/no-confusing-void-expression': [
    'error',
    { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
  ],
}

// `as unknown as` silences the compiler about everything; a guard or a better type says why.
const casts = {
  selector: "TSAsExpression > TSAsExpression[typeAnnotation.type='TSUnknownKeyword']",
  message: 'Narrow it, or give it the right type.',
}

const now = {
  selector: ":matches(NewExpression[arguments.length=0], CallExpression)[callee.name='Date']",
  message: 'Take the time from the Runtime. `new Date(ms)` is fine.',
}

const noNodeImports = (names, allowTypeImports = false) => ({
  '@typescript-eslint/no-restricted-imports': [
    'error',
    {
      patterns: [
        {
          group: names,
          message: 'Sockets, clocks and files belong to src/node.',
          allowTypeImports,
        },
      ],
    },
  ],
})

export default defineConfig(
  { ignores: ['dist', 'coverage'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { promise },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: everywhere,
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', casts],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/node/**', 'src/testing/**'],
    rules: {
      'no-restricted-globals': ['error', ...impureGlobals],
      'no-restricted-properties': ['error', ...impureProperties],
      'no-restricted-syntax': ['error', casts, now],
    },
  },
  {
    files: ['src/{protocol,session,recipes}/**/*.ts'],
    rules: noNodeImports(['node:*']),
  },
  {
    files: ['src/client/**/*.ts'],
    // A type is no socket: the options of TLS are Node's.
    rules: noNodeImports(['node:net', 'node:tls', 'node:dns*', 'node:timers*', 'node:fs*'], true),
  },
  {
    files: ['{test,bench,examples,scripts}/**/*.ts', '*.ts'],
    rules: {
      // Tests pass wrong values on purpose, spy on methods, and do nothing in empty callbacks.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
)
