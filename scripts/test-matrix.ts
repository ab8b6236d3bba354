/**
 * `npm run test:matrix`: the semantic tests on one version of ZooKeeper after the other. Prints a line
 * per version, and ends with 1 if one of them failed. The versions come from Maven, and stay in
 * `node_modules/.cache/zoowire`; one that cannot be had is skipped, with the reason.
 *
 * `npm run test:matrix -- 3.5.10` takes the versions that it is told.
 */
import Table from 'cli-table3'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mavenClassPath } from '../test/support/maven-source.ts'
import { totalsOf } from './test-totals.ts'
import { root } from './tools.ts'

/** One release of each line. */
const knownVersions = ['3.5.10', '3.6.4', '3.7.2', '3.8.4', '3.9.5']

/** What compares the in-process server, which is a 3.9, with a real one byte by byte. */
const comparisons = ['differential.test.ts', 'test-server.test.ts']

const files = [
  ...readdirSync(join(root, 'test/conformance'))
    .filter((name) => name.endsWith('.test.ts') && !comparisons.includes(name))
    .map((name) => `test/conformance/${name}`),
  'test/recipes',
  'test/integration/extended-types',
  'test/integration/removing-watches',
  'test/integration/restart',
]

/** What the suites on a real server have in their titles; no other test depends on the version. */
const real = 'Apache ZooKeeper'

const table = new Table({
  head: [real, 'Passed', 'Failed', 'Skipped', 'Seconds'],
  colAligns: ['left', 'right', 'right', 'right', 'right'],
  style: { head: [], border: [] },
})
const missing: string[] = []
const folder = mkdtempSync(join(tmpdir(), 'zoowire-matrix-'))
process.env['ZOOWIRE_ZOOKEEPER'] = 'maven'
process.exitCode = 0
try {
  const chosen = process.argv.slice(2)
  for (const version of chosen.length > 0 ? chosen : knownVersions) {
    process.env['ZOOWIRE_ZOOKEEPER_VERSION'] = version
    const reason = await reasonToSkip()
    if (reason === null) testOn(version)
    else missing.push(`skipped: ${version}: ${reason}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (table.length > 0) console.log(table.toString())
for (const line of missing) console.log(line)

/** Why the jars of the version cannot be had, or null. */
async function reasonToSkip(): Promise<string | null> {
  try {
    await mavenClassPath()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function testOn(version: string): void {
  const report = join(folder, `${version}.json`)
  const start = performance.now()
  // Where the server is missing after all, that is a failure: its jars are here.
  const env = { ...process.env, CI: 'true', ZOOWIRE_TEST_REPORT: report }
  const args = ['vitest', 'run', '--project', 'servers', ...files, '-t', real]
  spawnSync('npx', args, { cwd: root, env, stdio: 'inherit' })
  const { passed, failed, skipped } = totalsOf(report, real)
  const seconds = Math.round((performance.now() - start) / 1000)
  table.push([version, passed, failed, skipped, seconds])
  if (failed > 0 || passed === 0) process.exitCode = 1
}
