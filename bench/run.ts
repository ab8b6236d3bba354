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
import { contestants, type Workload, workloads } from './plan.ts'
import { render } from './report.ts'
import { type Cell, runRound } from './rounds.ts'
import { type BenchServer, startNullServer, startZooKeeper } from './servers.ts'

interface Options {
  quick: boolean
  rounds: number
  seconds: number
  warmup: number
  inFlight: number[]
  workload: Workload[]
  server: ('null' | 'zookeeper')[]
  valueBytes: number
  baseline?: string
  output: string
}

const full = {
  rounds: 5,
  inFlight: [1, 16, 256, 4096],
  workload: [...workloads],
  server: ['null', 'zookeeper'] as const,
}
const quick = { rounds: 3, inFlight: [16, 256], workload: ['getData', 'mixed'], server: ['null'] }

const results = fileURLToPath(new URL('results/', import.meta.url))

const command = new Command('bench')
  .description('Measures what a request costs a client.')
  .option('--quick', 'a minute: fewer cells and rounds, the null server only', false)
  .option('--rounds <count>', 'turns of each contestant per cell (default: 5)', positiveNumber)
  .option('--seconds <s>', 'measured time of each turn', positiveNumber, 1)
  .option('--warmup <s>', 'time of each turn before that', positiveNumber, 1)
  .option('--in-flight <counts...>', 'requests outstanding (default: 1 16 256 4096)')
  .addOption(new Option('--workload <names...>').choices(workloads))
  .addOption(new Option('--server <names...>').choices(['null', 'zookeeper']))
  .option('--value-bytes <bytes>', 'length of the values', positiveNumber, 100)
  .option('--baseline <folder>', 'a second contestant: another build of zoowire (its dist)')
  .option('--output <file>', 'where the figures go, as JSON')

const options = optionsOf(command.parse().opts())
const cells: Cell[] = []
const serverNames: string[] = []
const before = environment(serverNames)
for (const kind of options.server) {
  await using server = await start(kind)
  serverNames.push(server.name)
  const ofServer = options.workload.flatMap((workload) =>
    options.inFlight.map((inFlight): Cell => ({
      server: server.name,
      workload,
      inFlight,
      rounds: {},
    })),
  )
  cells.push(...ofServer)
  // Rounds outside, cells inside: what disturbs the machine for a while disturbs one round of many.
  for (let round = 0; round < options.rounds; round++) {
    for (const cell of ofServer) await runCell(server, cell, round)
  }
}
console.log(`\n${render(cells)}`)
mkdirSync(dirname(options.output), { recursive: true })
writeFileSync(options.output, JSON.stringify({ environment: before, options, cells }, null, 2))
console.log(`\nall figures: ${options.output}`)

async function runCell(server: BenchServer, cell: Cell, round: number): Promise<void> {
  process.stderr.write(
    `round ${round + 1}/${options.rounds}: ${server.name}, ${cell.workload}, ${cell.inFlight}\n`,
  )
  const { baseline = null, valueBytes, warmup, seconds } = options
  const entered = contestants.filter((name) => name !== 'baseline' || baseline !== null)
  await runRound(server, cell, round, entered, (contestant) => ({
    contestant,
    baseline: baseline === null ? null : resolve(baseline),
    host: server.host,
    port: server.port,
    workload: cell.workload,
    inFlight: cell.inFlight,
    valueBytes,
    warmupMs: warmup * 1000,
    measuredMs: seconds * 1000,
  }))
}

function start(kind: 'null' | 'zookeeper'): Promise<BenchServer> {
  return kind === 'null' ? startNullServer(options.valueBytes) : startZooKeeper(options.valueBytes)
}

function optionsOf(given: Partial<Options>): Options {
  const preset = given.quick === true ? quick : full
  const output = `${results}${given.quick === true ? 'quick' : 'requests'}.json`
  const merged = { output, ...preset, ...given } as Options
  return { ...merged, inFlight: merged.inFlight.map((count) => positiveNumber(`${count}`)) }
}
