/**
 * How much a request costs: zoowire beside another client and beside no client at all, in the same
 * minutes, on the same machine. README.md tells how to read the outcome.
 */
import { Command, Option } from 'commander'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from './environment.ts'
import { positiveNumber } from './options.ts'
import {
  type Contestant,
  contestants,
  type Foreigner,
  foreigners,
  type Workload,
  workloads,
} from './plan.ts'
import { isForeign, preparePeers } from './peers.ts'
import { render } from './report.ts'
import { type Cell, runRound } from './rounds.ts'
import { type BenchServer, type ServerKind, serverKinds, startServer } from './servers.ts'

interface Options {
  quick: boolean
  rounds: number
  seconds: number
  warmup: number
  inFlight: number[]
  contenders: number[]
  workload: Workload[]
  server: ServerKind[]
  peers: Foreigner[]
  valueBytes: number
  baseline?: string
  output: string
}

const full = {
  rounds: 5,
  inFlight: [1, 16, 256, 4096],
  contenders: [2, 8],
  workload: [...workloads],
  server: serverKinds,
  peers: [],
}
const quick = {
  ...full,
  rounds: 3,
  inFlight: [16, 256],
  workload: ['getData', 'mixed'],
  server: ['null'],
}

const results = fileURLToPath(new URL('results/', import.meta.url))

const command = new Command('bench')
  .description('Measures what a request costs a client.')
  .option('--quick', 'a minute: fewer cells and rounds, the null server only', false)
  .option('--rounds <count>', 'turns of each contestant per cell (default: 5)', positiveNumber)
  .option('--seconds <s>', 'measured time of each turn', positiveNumber, 1)
  .option('--warmup <s>', 'time of each turn before that', positiveNumber, 1)
  .option('--in-flight <counts...>', 'requests outstanding (default: 1 16 256 4096)')
  .option('--contenders <counts...>', 'sessions that want the lock (default: 2 8)')
  .addOption(new Option('--workload <names...>').choices(workloads))
  .addOption(new Option('--server <names...>').choices(serverKinds))
  .addOption(
    new Option('--peers <names...>', 'clients in other languages, too').choices(foreigners),
  )
  .option('--value-bytes <bytes>', 'length of the values', positiveNumber, 100)
  .option('--baseline <folder>', 'a second contestant: another build of zoowire (its dist)')
  .option('--output <file>', 'where the figures go, as JSON')

const options = optionsOf(command.parse().opts())
const commands = await preparePeers(options.peers)
const cells: Cell[] = []
const serverNames: string[] = []
const before = environment(serverNames)
for (const kind of options.server) {
  await using server = await startServer(kind, options.valueBytes)
  serverNames.push(server.name)
  const ofServer = options.workload
    .filter((workload) => isPossible(workload, kind))
    .flatMap((workload) => cellsOf(server.name, workload))
  cells.push(...ofServer)
  // Rounds outside, cells inside: what disturbs the machine for a while disturbs one round of many.
  for (let round = 0; round < options.rounds; round++) {
    for (const cell of ofServer) await runCell(server, cell, round)
  }
}
console.log(`\n${render(cells)}`)
const { output, ...settings } = options
mkdirSync(dirname(output), { recursive: true })
writeFileSync(output, JSON.stringify({ environment: before, options: settings, cells }, null, 2))
console.log(`\nall figures: ${output}`)

/** The null server cannot say who comes first. */
function isPossible(workload: Workload, kind: ServerKind): boolean {
  return workload !== 'lock' || kind !== 'null'
}

function cellsOf(server: string, workload: Workload): Cell[] {
  const counts = workload === 'lock' ? options.contenders : options.inFlight
  return counts.map((inFlight) => ({ server, workload, inFlight, rounds: {} }))
}

async function runCell(server: BenchServer, cell: Cell, round: number): Promise<void> {
  process.stderr.write(
    `round ${round + 1}/${options.rounds}: ${server.name}, ${cell.workload}, ${cell.inFlight}\n`,
  )
  const { baseline = null, valueBytes, warmup, seconds } = options
  const entered = contestants.filter((contestant) => isEntered(contestant, cell.workload))
  await runRound(server, cell, round, entered, commands, (contestant) => ({
    contestant,
    baseline: baseline === null ? null : resolve(baseline),
    hosts: server.hosts,
    workload: cell.workload,
    inFlight: cell.inFlight,
    valueBytes,
    warmupMs: warmup * 1000,
    measuredMs: seconds * 1000,
  }))
}

/** No other client for Node has a lock. Those in other languages do what all of them have. */
function isEntered(contestant: Contestant, workload: Workload): boolean {
  if (contestant === 'baseline') return options.baseline !== undefined
  if (contestant === 'node-zookeeper-client') return workload !== 'lock'
  if (!isForeign(contestant)) return true
  return contestant in commands && workload !== 'lock' && workload !== 'getMany'
}

function optionsOf(given: Partial<Options>): Options {
  const preset = given.quick === true ? quick : full
  const output = `${results}${given.quick === true ? 'quick' : 'requests'}.json`
  const merged = { output, ...preset, ...given } as Options
  const numbers = (counts: readonly unknown[]) => counts.map((n) => positiveNumber(String(n)))
  return {
    ...merged,
    inFlight: numbers(merged.inFlight),
    contenders: numbers(merged.contenders),
  }
}
