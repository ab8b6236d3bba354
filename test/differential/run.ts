/**
 * `npm run test:differential -- --from 1 --scripts 20000`: random scripts on the in-process server and on
 * Apache ZooKeeper. It says how far it came, so that the next run can go on from there.
 */
import { Command } from 'commander'
import { Judges } from './compare.ts'

interface Options {
  readonly from: number
  readonly scripts: number
  readonly operations: number
}

const options = new Command('test:differential')
  .option('--from <seed>', 'the first seed', Number, 1)
  .option('--scripts <count>', 'so many seeds', Number, 20_000)
  .option('--operations <count>', 'steps of each script', Number, 100)
  .parse()
  .opts<Options>()

await using judges = await Judges.start()
console.log(`in-process server and Apache ZooKeeper ${judges.real.version}`)
const startedMs = Date.now()
let differences = 0
const end = options.from + options.scripts
for (let seed = options.from; seed < end; seed++) {
  const difference = await judges.differenceOf(seed, options.operations)
  if (difference !== null) {
    differences++
    const again = `npm run test:differential -- --from ${seed} --scripts 1 --operations ${options.operations}`
    console.log(`\nseed ${seed} (${again})\n${difference}`)
  }
  if (seed % 100 === 0) console.log(`up to seed ${seed}: ${differences} differences`)
}
const seconds = Math.round((Date.now() - startedMs) / 1000)
console.log(
  `seeds ${options.from} to ${end - 1}, ${options.operations} steps each: ` +
    `${differences} differences, ${seconds} s`,
)
process.exitCode = differences === 0 ? 0 : 1
