/**
 * Plants each bug of `canaries.ts` in a copy of the sources and lets simulated runs look for it, and each
 * of `tested-canaries.ts` and lets the test look for it that is named there.
 *
 *     npm run test:canaries -- --seeds 200 --only 'half a frame'
 */
import { Command } from 'commander'
import { availableParallelism } from 'node:os'
import { type Canary, canaries } from './canaries.ts'
import { findBySimulation, findByTest, plant } from './garden.ts'
import { type TestedCanary, testedCanaries } from './tested-canaries.ts'

const options = new Command()
  .name('test:canaries')
  .option('--seeds <count>', 'runs until a bug counts as not found', Number, 200)
  .option('--only <words>', 'bugs whose name contains these words', '')
  .parse()
  .opts<{ seeds: number; only: string }>()

function release(canary: Canary | TestedCanary): Promise<string | null> {
  return plant(canary, (folder) => {
    return 'foundBy' in canary
      ? findByTest(folder, canary.foundBy)
      : findBySimulation(folder, options.seeds)
  })
}

const all = [...canaries, ...testedCanaries]
const waiting = all.filter(({ name }) => name.includes(options.only))
let found = 0
let missed = 0

/** Takes one after the other, until there is none. */
async function releaseAll(): Promise<void> {
  for (let canary = waiting.shift(); canary !== undefined; canary = waiting.shift()) {
    const by = await release(canary)
    if (by === null) missed++
    else found++
    console.log(`${canary.name}\n    ${by ?? 'NOT FOUND'}`)
  }
}

await Promise.all(Array.from({ length: availableParallelism() }, releaseAll))
console.log(`${found} passed, ${missed} failed, 0 skipped`)
process.exitCode = missed === 0 ? 0 : 1
