/**
 * `npm run test:docker`: a slice of the tests, with every real ZooKeeper in a container of the image
 * that ZOOKEEPER_IMAGE names. Where there is no engine it says so, and does not fail.
 */
import { spawnSync } from 'node:child_process'
import { findZooKeeper } from '../test/support/zookeeper-installation.ts'

process.env['ZOOWIRE_ZOOKEEPER'] = 'docker'

const files = [
  'test/conformance',
  'test/integration/restart',
  'test/integration/transaction-log',
  'test/integration/zookeeper-server',
  'test/integration/zookeeper-ensemble',
]

await findZooKeeper().then(runTests, (reason: unknown) => {
  console.log(`skipped: ${reason instanceof Error ? reason.message : String(reason)}`)
})

function runTests(): void {
  // Where a real server is missing after all, that is a failure: there is an engine.
  const env = { ...process.env, CI: 'true' }
  const { status } = spawnSync('npx', ['vitest', 'run', ...files], {
    env,
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}
