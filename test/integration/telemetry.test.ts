import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('the example makes spans and metrics of what the channels tell', async () => {
  const program = ['--import', 'tsx', 'examples/telemetry.ts']
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: root })
  const lines = stdout.split('\n').filter((line) => /^ {3}(span|metric) /.test(line))
  expect(lines.map((line) => line.trim())).toEqual([
    'span "create2 /traced": succeeded',
    'span "getData /traced": succeeded',
    'span "delete /missing": not-applied, an error',
    'metric db.client.operation.duration: 3 series',
    'metric zookeeper.client.state_changes: 1 series',
    'metric zookeeper.client.in_flight: 1 series',
    'metric zookeeper.client.watches: 5 series',
  ])
})
