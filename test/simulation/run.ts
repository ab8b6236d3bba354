/**
 * Many runs, one seed each. A seed that shows a violation is printed with the command that repeats it.
 *
 *     npm run test:simulate -- --seeds 10000 --from 0
 */
import { Command, InvalidArgumentError } from 'commander'
import { createHook } from 'node:async_hooks'
import { type Report, simulate } from './scenario.ts'

const options = new Command()
  .name('test:simulate')
  .option('--seeds <count>', 'how many runs', whole, 10_000)
  .option('--from <seed>', 'the first seed', whole, 0)
  .option('--bail', 'stop at the first violation', false)
  .option('--twice', 'run each seed twice, and compare', false)
  .option('--digest', 'print one number for everything that happened', false)
  .parse()
  .opts<{ seeds: number; from: number; bail: boolean; twice: boolean; digest: boolean }>()

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

async function run(seed: number): Promise<{ report: Report; problems: string[] }> {
  const isTripwireSet = seed % 50 === 0 // hooks cost half the speed
  if (isTripwireSet) tripwire.enable()
  isWatching = true
  const report = await simulate(seed)
  const again = options.twice ? await simulate(seed) : report
  isWatching = false
  if (isTripwireSet) tripwire.disable()
  const problems = [
    ...report.violations,
    ...[...foreign].map((type) => `something waited for a ${type}`),
    ...rejections.map((reason) => `nobody handled a rejection: ${String(reason)}`),
    ...(again.digest === report.digest ? [] : ['a second run went otherwise']),
  ]
  foreign.clear()
  rejections.length = 0
  return { report, problems }
}

const startMs = performance.now()
const totals: Record<string, number> = {}
const digests: string[] = []
let failed = 0

function count(name: string, by: number): void {
  totals[name] = (totals[name] ?? 0) + by
}

for (let seed = options.from; seed < options.from + options.seeds; seed++) {
  const { report, problems } = await run(seed)
  for (const name of ['events', 'operations', 'leases', 'simulatedMs'] as const) {
    count(name, report[name])
  }
  for (const [name, times] of Object.entries(report.faults)) count(`fault: ${name}`, times)
  for (const [name, times] of Object.entries(report.outcomes)) count(`writes told: ${name}`, times)
  digests.push(report.digest)
  if (problems.length === 0) continue
  failed++
  console.log(`seed ${seed}: npm run test:simulate -- --seeds 1 --from ${seed}`)
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
