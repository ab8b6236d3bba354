/**
 * Many runs, one seed each. A seed that shows a violation is printed with the command that repeats it.
 *
 *     npm run test:simulate -- --seeds 10000 --from 0
 *     npm run test:simulate -- --seeds 1 --watches 100000
 */
import { Command, InvalidArgumentError } from 'commander'
import { createHook } from 'node:async_hooks'
import { simulate } from './scenario.ts'
import { watchStorm } from './watch-storm.ts'

const options = new Command()
  .name('test:simulate')
  .option('--seeds <count>', 'how many runs', whole, 10_000)
  .option('--from <seed>', 'the first seed', whole, 0)
  .option(
    '--watches <steps>',
    'instead: watches alone, set and taken back for so many steps',
    whole,
  )
  .option('--bail', 'stop at the first violation', false)
  .option('--twice', 'run each seed twice, and compare', false)
  .option('--digest', 'print one number for everything that happened', false)
  .parse()
  .opts<Options>()

interface Options {
  readonly seeds: number
  readonly from: number
  readonly watches?: number
  readonly bail: boolean
  readonly twice: boolean
  readonly digest: boolean
}

/** What is known of a run, whatever it was. */
interface Outcome {
  readonly violations: readonly string[]
  readonly digest: string
  /** Named numbers, which are added up. */
  readonly totals: Readonly<Record<string, number>>
}

function whole(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('a whole number from 0 up')
}

/** Whatever else a promise may hang on would make runs differ. */
const harmless = new Set(['PROMISE', 'Immediate', 'TickObject', 'Microtask', 'AsyncResource'])
/** Files are those of the loader, which tidies its cache while the first runs go on. */
const isHarmless = (type: string) => harmless.has(type) || /^(FILE|DIR|FSREQ)/.test(type)
const foreign = new Set<string>()
let isWatching = false
const tripwire = createHook({
  init(_id, type) {
    if (isWatching && !isHarmless(type)) foreign.add(type)
  },
})

const rejections: unknown[] = []
process.on('unhandledRejection', (reason) => rejections.push(reason))

async function play(seed: number): Promise<Outcome> {
  if (options.watches === undefined) {
    const { faults, outcomes, events, operations, leases, simulatedMs, ...rest } =
      await simulate(seed)
    const named = { ...labelled('fault', faults), ...labelled('writes told', outcomes) }
    return { ...rest, totals: { events, operations, leases, simulatedMs, ...named } }
  }
  const { told, events, simulatedMs, ...rest } = await watchStorm(seed, options.watches)
  return { ...rest, totals: { events, simulatedMs, ...labelled('watches told', told) } }
}

function labelled(label: string, counts: Readonly<Record<string, number>>) {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [`${label}: ${name}`, count]),
  )
}

async function run(seed: number): Promise<{ outcome: Outcome; problems: string[] }> {
  const isTripwireSet = seed % 50 === 0 // hooks cost half the speed
  if (isTripwireSet) tripwire.enable()
  isWatching = true
  const outcome = await play(seed)
  const again = options.twice ? await play(seed) : outcome
  isWatching = false
  if (isTripwireSet) tripwire.disable()
  const problems = [
    ...outcome.violations,
    ...[...foreign].map((type) => `something waited for a ${type}`),
    ...rejections.map((reason) => `nobody handled a rejection: ${String(reason)}`),
    ...(again.digest === outcome.digest ? [] : ['a second run went otherwise']),
  ]
  foreign.clear()
  rejections.length = 0
  return { outcome, problems }
}

const startMs = performance.now()
const totals: Record<string, number> = {}
const digests: string[] = []
let failed = 0

for (let seed = options.from; seed < options.from + options.seeds; seed++) {
  const { outcome, problems } = await run(seed)
  for (const [name, count] of Object.entries(outcome.totals)) {
    totals[name] = (totals[name] ?? 0) + count
  }
  digests.push(outcome.digest)
  if (problems.length === 0) continue
  failed++
  const instead = options.watches === undefined ? '' : ` --watches ${options.watches}`
  console.log(`seed ${seed}: npm run test:simulate -- --seeds 1 --from ${seed}${instead}`)
  for (const problem of problems.slice(0, 10)) console.log(`  ${problem}`)
  if (options.bail) break
}

const minutes = (performance.now() - startMs) / 60_000
const hours = (totals['simulatedMs'] ?? 0) / 3_600_000
for (const [name, value] of Object.entries(totals)) console.log(`${name}: ${Math.round(value)}`)
console.log(`simulated hours per minute: ${(hours / minutes).toFixed(1)}`)
if (options.digest) console.log(`digest: ${digests.join(' ')}`)
console.log(`${options.seeds - failed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed === 0 ? 0 : 1
