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
  readonly path?: string
}

const options = new Command('test:differential')
  .option('--from <seed>', 'the first seed', Number, 1)
  .option('--scripts <count>', 'so many seeds', Number, 20_000)
  .option('--operations <count>', 'steps of each script', Number, 100)
  .option('--path <path>', 'one of the scripts that it shrinks to, as a failed run prints it')
  .parse()
  .opts<Options>()

await using judges = await Judges.start()
console.log(`in-process server and Apache ZooKeeper ${judges.version}`)
const startedMs = Date.now()
let differences = 0
const end = options.from + options.scripts
for (let seed = options.from; seed < end; seed++) {
  const difference = await judges.differenceOf(seed, options.operations, options.path)
  if (difference !== null) {
    differences++
    console.log(`\nseed ${seed} (${commandOf(seed, difference.path)})\n${difference.text}`)
  }
  if (seed % 100 === 0) console.log(`up to seed ${seed}: ${differences} differences`)
}
const seconds = Math.round((Date.now() - startedMs) / 1000)
console.log(
  `seeds ${options.from} to ${end - 1}, ${options.operations} steps each: ` +
    `${differences} differences, ${seconds} s`,
)
process.exitCode = differences === 0 ? 0 : 1

/** Plays the shrunk script again, on the same version. */
function commandOf(seed: number, path: string): string {
  const variables = ['ZOOWIRE_ZOOKEEPER', 'ZOOWIRE_ZOOKEEPER_VERSION'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [`${name}=${value} `]
  })
  const { operations } = options
  const script = `--from ${seed} --scripts 1 --operations ${operations} --path ${path}`
  return `${variables.join('')}npm run test:differential -- ${script}`
}
