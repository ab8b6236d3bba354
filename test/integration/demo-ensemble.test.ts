import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeReal } from '../support/shared-zookeeper.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

describeReal('the walk-through', () => {
  test(
    'goes on to its end when the leader of its ensemble is killed',
    { timeout: 120_000 },
    async () => {
      const printed = await runProgram('examples/walk-through.ts', '--ensemble')

      expect(printed).toContain('Running on three servers of Apache ZooKeeper')
      expect(printed).toMatch(/the same session, now on .*: true/)
      expect(printed).toContain('the znode is still there, and still ours: true')
      expect(printed).toContain('a write goes through: there is a new leader')
      expect(printed).toContain('10 workers, 5 increments each: the counter says 50')
      expect(printed).toMatch(/\nDone\.\n$/)
    },
  )
})

/** What a program of ours prints; rejects if it fails. */
async function runProgram(...args: string[]): Promise<string> {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--import', 'tsx', ...args], { cwd: root })
  return stdout
}
