/** How long encoding and decoding one record takes, by three ways to do it: `npm run bench:codec`. */
import Table from 'cli-table3'
import { Command } from 'commander'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Contestant, contestants } from './codec/contestants.ts'
import type { CodecMeasurement } from './codec/main.ts'
import { samples } from './codec/samples.ts'
import { environment } from './environment.ts'
import { positiveNumber } from './options.ts'
import { program } from './servers.ts'
import { ratio, show, spread } from './spread.ts'

interface Options {
  readonly rounds: number
  readonly milliseconds: number
  readonly output: string
}

type Turn = Readonly<Record<string, CodecMeasurement>>

const options = new Command('bench:codec')
  .description('Measures what encoding and decoding one record costs.')
  .option('--rounds <count>', 'turns of each contestant', positiveNumber, 5)
  .option('--milliseconds <ms>', 'measured time of each record and direction', positiveNumber, 100)
  .option(
    '--output <file>',
    'where the figures go, as JSON',
    fileURLToPath(new URL('results/codec.json', import.meta.url)),
  )
  .parse()
  .opts<Options>()

const before = environment([])
const turns: Record<Contestant, Turn[]> = { generated: [], table: [], obvious: [] }
for (let round = 0; round < options.rounds; round++) {
  for (let turn = 0; turn < contestants.length; turn++) {
    const contestant = contestants[(round + turn) % contestants.length]!
    process.stderr.write(`round ${round + 1}/${options.rounds}: ${contestant}\n`)
    turns[contestant].push(await runTurn(contestant))
  }
}
console.log(`\nNanoseconds for one, as median (min–max) of the rounds\n${render()}`)
const { output, ...settings } = options
mkdirSync(dirname(output), { recursive: true })
writeFileSync(output, JSON.stringify({ environment: before, options: settings, turns }, null, 2))
console.log(`\nall figures: ${output}`)

async function runTurn(contestant: Contestant): Promise<Turn> {
  const child = fork(program('codec/main'), [contestant, String(options.milliseconds)], {
    execArgv: [],
  })
  let measured: Turn | null = null
  child.on('message', (message) => (measured = message as Turn))
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0 || measured === null) throw new Error(`${contestant} failed`)
  return measured
}

function render(): string {
  const head = ['', '', ...contestants, 'table : generated', 'obvious : generated']
  const table = new Table({ head, style: { head: [], border: [], compact: true } })
  for (const { name } of samples) {
    for (const direction of ['encode', 'decode'] as const) {
      const of = (contestant: Contestant) => turns[contestant].map((t) => t[name]![direction])
      table.push([
        direction === 'encode' ? name : '',
        direction,
        ...contestants.map((contestant) => show(spread(of(contestant)))),
        show(ratio(of('table'), of('generated'))),
        show(ratio(of('obvious'), of('generated'))),
      ])
    }
  }
  return table.toString()
}
