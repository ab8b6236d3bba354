/**
 * Runs the same seeds of the simulation on every version of Node that is supported: what happens in a
 * world may depend on nothing but its seed.
 *
 * `npm run test:traces`
 */
import { nodeOf, nodeVersions, ownNode, root, run, type Tool } from './tools.ts'

const simulation = ['--import', 'tsx', 'test/simulation/run.ts', '--seeds', '10', '--digest']

const totals = { passed: 0, failed: 0, skipped: 0 }
const expected = digestOn(ownNode())
for (const node of nodeVersions.map(nodeOf)) {
  if ('missing' in node) {
    totals.skipped++
    console.log(`skip  ${node.name} ${node.missing}`)
    continue
  }
  const isSame = digestOn(node) === expected
  totals[isSame ? 'passed' : 'failed']++
  console.log(`${isSame ? 'ok  ' : 'FAIL'}  ${node.name}`)
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = totals.failed > 0 ? 1 : 0

function digestOn(node: Tool): string {
  if ('missing' in node) throw new Error(node.missing)
  const digest = /^digest: .*$/m.exec(run(node.path, simulation, root))
  if (digest === null) throw new Error(`${node.name} printed no digest`)
  return digest[0]
}
