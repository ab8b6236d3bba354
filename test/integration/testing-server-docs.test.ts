/** docs/testing-server.md shows files of examples/testing, which run: here, and as tests of ours. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(root + path, 'utf8')
const shown = [
  ...read('docs/testing-server.md').matchAll(/<!-- file: (\S+) -->\s+```ts\n(.*?)```/gs),
].map(([, path, code]) => ({ path: path!, code: code! }))

test.each(shown)('the page shows $path as it is', ({ path, code }) => {
  expect(code).toBe(read(path))
})

test('the page shows all of the examples', () => {
  const files = readdirSync(`${root}examples/testing`).map((name) => `examples/testing/${name}`)
  expect(shown.map(({ path }) => path).sort()).toEqual(files.sort())
})

test('the examples for node:test pass', async () => {
  const files = shown.map(({ path }) => path).filter((path) => path.endsWith('.node-test.ts'))
  const args = ['--import', 'tsx', '--test', '--test-reporter', 'tap', ...files]
  // Else node:test believes that it is started by itself, or vitest's options apply.
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env })
  expect(stdout).toMatch(/^# pass 2$/m)
})
