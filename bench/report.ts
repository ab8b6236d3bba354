import Table from 'cli-table3'
import { type Contestant, contestants, type Measurement } from './plan.ts'
import { type Cell, ratioOf, spreadOf } from './rounds.ts'
import { show } from './spread.ts'

const figures = {
  cpu: ({ cpuMicrosPerOperation }: Measurement) => cpuMicrosPerOperation,
  rate: ({ operationsPerSecond }: Measurement) => operationsPerSecond,
  p50: ({ p50Micros }: Measurement) => p50Micros,
  p99: ({ p99Micros }: Measurement) => p99Micros,
}

const head = [
  'in flight',
  'client',
  'CPU µs/op',
  'ops/s',
  'p50 µs',
  'p99 µs',
  'zoowire : it, CPU',
  'zoowire : it, ops/s',
]

/** One table per server and workload; every figure as `median (min–max)` of its rounds. */
export function render(cells: readonly Cell[]): string {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) {
    const title = `${cell.workload}, ${cell.server}`
    groups.set(title, [...(groups.get(title) ?? []), cell])
  }
  return [...groups].map(([title, group]) => `${title}\n${renderTable(group)}`).join('\n\n')
}

function renderTable(cells: readonly Cell[]): string {
  const table = new Table({ head, style: { head: [], border: [], compact: true } })
  for (const cell of cells) {
    for (const contestant of contestants) {
      if (cell.rounds[contestant] !== undefined) table.push(renderRow(cell, contestant))
    }
  }
  return table.toString()
}

function renderRow(cell: Cell, contestant: Contestant): string[] {
  const { cpu, rate, p50, p99 } = figures
  const own = (figure: typeof cpu) => show(spreadOf(cell, contestant, figure))
  const beside = (figure: typeof cpu) => {
    return contestant === 'zoowire' ? '' : show(ratioOf(cell, 'zoowire', contestant, figure))
  }
  return [
    `${cell.inFlight}`,
    contestant,
    own(cpu),
    own(rate),
    own(p50),
    own(p99),
    beside(cpu),
    beside(rate),
  ]
}
