import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'

const report = process.env['ZOOWIRE_TEST_REPORT'] // .ci/run counts from it

const ensembles = ['test/chaos/**/*.test.ts', 'test/integration/*ensemble.test.ts']

// The examples import the package as its users do; so do tests of what they show.
const src = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^zoowire$/, replacement: src('index.ts') },
      { find: /^zoowire\/(recipes|testing|protocol)$/, replacement: src('$1/index.ts') },
    ],
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000, // starting a server may wait for other JVMs on a small machine
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        extends: true,
        // Bytes, tables and arithmetic: no server, so these start at once and measure coverage.
        test: { name: 'pure', include: ['test/{unit,property}/**/*.test.ts'] },
      },
      {
        extends: true,
        // Everything else shares one real server, which the set-up finds or fetches.
        test: {
          name: 'servers',
          include: ['test/**/*.test.ts', 'examples/testing/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/{unit,property}/**', ...ensembles],
          globalSetup: 'test/support/global-setup.ts',
        },
      },
      {
        extends: true,
        // Three JVMs each, and faults: behind everything else, and one at a time.
        test: {
          name: 'ensembles',
          include: ensembles,
          globalSetup: 'test/support/global-setup.ts',
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    coverage: {
      provider: 'v8',
      reporter: ['text', 'html'],
      // The pure layers have no excuse for an untested line, and no way to be excused from one.
      include: ['src/protocol/**/*.ts', 'src/session/**/*.ts'],
      exclude: ['src/**/index.ts', 'src/**/*.d.ts'],
      ignoreClassMethods: [],
      thresholds: { lines: 100, branches: 100 },
    },
  },
})
