import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { type Command } from '../test/support/foreign-clients.ts'
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

/** The contestants that are no programs of Node. */
export type Commands = Partial<Record<Contestant, Command>>

/** One round: every contestant once, in an order that moves on from round to round. */
export async function runRound(
  server: BenchServer,
  cell: Cell,
  round: number,
  contestants: readonly Contestant[],
  commands: Commands,
  planOf: (contestant: Contestant) => Plan,
): Promise<void> {
  for (let turn = 0; turn < contestants.length; turn++) {
    const contestant = contestants[(round + turn) % contestants.length]!
    const requestsBefore = await server.requests()
    const measurement = await runContestant(planOf(contestant), commands[contestant])
    const requests = await server.requests()
    if (requests !== null && requests - requestsBefore! < measurement.operationsInAll) {
      throw new Error(`${contestant} counts more operations than the server has seen`)
    }
    const measurements = (cell.rounds[contestant] ??= [])
    measurements.push(measurement)
  }
}

async function runContestant(plan: Plan, command: Command | undefined): Promise<Measurement> {
  const { child, measurement } = command === undefined ? runOurs(plan) : runForeign(plan, command)
  const timer = setTimeout(() => child.kill(), plan.warmupMs + plan.measuredMs + graceMs)
  const exited = once(child, 'exit') as Promise<[number | null]>
  const answer = await measurement
  const [code] = await exited
  clearTimeout(timer)
  if (code !== 0 || answer === null) throw new Error(`${plan.contestant} failed`)
  return answer
}

/** A contestant's process, and what it will say; null if it says nothing. */
interface Turn {
  readonly child: ChildProcess
  readonly measurement: Promise<Measurement | null>
}

function runOurs(plan: Plan): Turn {
  const child = fork(program('contestants/main'), [JSON.stringify(plan)], { execArgv: [] })
  const measurement = new Promise<Measurement | null>((resolve) => {
    child.once('message', (message) => resolve(message as Measurement))
    child.once('exit', () => resolve(null))
  })
  return { child, measurement }
}

function runForeign(plan: Plan, [command, ...args]: Command): Turn {
  const { hosts, workload, inFlight, valueBytes, warmupMs, measuredMs } = plan
  const own = [hosts[0]!, workload, inFlight, valueBytes, warmupMs, measuredMs].map(String)
  const child = spawn(command, [...args, ...own], { stdio: ['ignore', 'pipe', 'inherit'] })
  const measurement = text(child.stdout).then((said) =>
    said === '' ? null : (JSON.parse(said) as Measurement),
  )
  return { child, measurement }
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
