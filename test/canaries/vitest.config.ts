import { defineConfig } from 'vitest/config'

// For the sources with a bug in them: no real server, which had to be started for each of them.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/canaries/no-zookeeper.ts',
    testTimeout: 5_000,
  },
})
