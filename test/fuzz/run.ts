/**
 * Damaged traffic in bulk. An input that breaks the invariant is printed with the command that sends
 * it alone.
 *
 *     npm run test:fuzz -- --inputs 1048576 --seed 1
 */
import { Command, InvalidArgumentError } from 'commander'
import { fuzz } from './hostile-traffic.ts'

const options = new Command()
  .name('test:fuzz')
  .option('--inputs <count>', 'how many inputs', whole, 2 ** 20)
  .option('--from <number>', 'the first of them', whole, 0)
  .option('--seed <seed>', 'what they follow from', whole, 1)
  .parse()
  .opts<{ inputs: number; from: number; seed: number }>()

function whole(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('a whole number from 0 up')
}

const startedMs = performance.now()
const heapAtMost = { bytes: 0 }
const report = fuzz(options, (input) => {
  if (input % 65_536 !== 65_535) return
  heapAtMost.bytes = Math.max(heapAtMost.bytes, process.memoryUsage().heapUsed)
  console.log(`${input + 1 - options.from} inputs`)
})
const seconds = Math.round((performance.now() - startedMs) / 1000)
const mebibytes = Math.round(heapAtMost.bytes / 2 ** 20)
console.log(
  `seed ${options.seed}: ${options.inputs} inputs in ${seconds} s, ${report.refused} cost the ` +
    `connection, the slowest took ${Math.round(report.slowestMs)} ms, heap below ${mebibytes} MiB`,
)
const { failure } = report
if (failure !== null) {
  console.error(failure.error)
  const { seed } = options
  console.error(`npm run test:fuzz -- --seed ${seed} --from ${failure.input} --inputs 1`)
}
const isGood = failure === null && report.slowestMs < 1_000 && mebibytes < 512
process.exitCode = isGood ? 0 : 1
