import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type Contestant, type Measurement, type Plan, type Workload } from './plan.ts'
import { type BenchServer, program } from './servers.ts'
import { ratio, type Spread, spread } from './spread.ts'

/** One workload at one concurrency against one server. */
export interface Cell {
  readonly server: string
  readonly workload: Workload
  readonly inFlight: number
  /** What each contestant measured, round by round: the n-th of one belongs to the n-th of all. */
  readonly rounds: Partial<Record<Contestant, Measurement[]>>
}

type Figure = (measurement: Measurement) => number

/** A single turn that takes this much longer than planned has hung. */
const graceMs = 30_000

/** One round: every contestant once, in an order that moves on from round to round. */
export async function runRound(
  server: BenchServer,
  cell: Cell,
  round: number,
  contestants: readonly Contestant[],
  planOf: (contestant: Contestant) => Plan,
): Promise<void> {
  for (let turn = 0; turn < contestants.length; turn++) {
    const contestant = contestants[(round + turn) % contestants.length]!
    const requestsBefore = await server.requests()
    const measurement = await runContestant(planOf(contestant))
    const requests = await server.requests()
    if (requests !== null && requests - requestsBefore! < measurement.operationsInAll) {
      throw new Error(`${contestant} counts more operations than the server has seen`)
    }
    const measurements = (cell.rounds[contestant] ??= [])
    measurements.push(measurement)
  }
}

async function runContestant(plan: Plan): Promise<Measurement> {
  const child = fork(program('contestants/main'), [JSON.stringify(plan)], { execArgv: [] })
  const timer = setTimeout(() => child.kill(), plan.warmupMs + plan.measuredMs + graceMs)
  let measurement: Measurement | null = null
  child.on('message', (message) => (measurement = message as Measurement))
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(timer)
  if (code !== 0 || measurement === null) throw new Error(`${plan.contestant} failed`)
  return measurement
}

export function spreadOf(cell: Cell, contestant: Contestant, figure: Figure): Spread | null {
  const measurements = cell.rounds[contestant]
  return measurements === undefined ? null : spread(measurements.map(figure))
}

/** How a contestant compares with another, each round by itself. */
export function ratioOf(
  cell: Cell,
  contestant: Contestant,
  other: Contestant,
  figure: Figure,
): Spread | null {
  const own = cell.rounds[contestant]
  const others = cell.rounds[other]
  if (own === undefined || others === undefined) return null
  return ratio(own.map(figure), others.map(figure))
}
