/** One contestant's turn: a process that is given a plan, carries it out, reports and ends. */
import { pathToFileURL } from 'node:url'
import { type Contestant, type Foreigner, type Measurement, type Plan } from '../plan.ts'
import { type Contender, Meter } from './meter.ts'
import type { Build } from './zoowire.ts'

/** Those that are programs of Node. */
type Own = Exclude<Contestant, Foreigner>

const start: Record<Own, (plan: Plan) => Promise<Contender>> = {
  'raw socket': async (plan) =>
    plan.workload === 'lock'
      ? (await import('./raw-lock.ts')).contend(plan)
      : (await import('./raw-socket.ts')).contend(plan),
  'node-zookeeper-client': async (plan) =>
    (await import('./node-zookeeper-client.ts')).contend(plan),
  zoowire: async (plan) => {
    const build = { client: await import('zoowire'), recipes: await import('zoowire/recipes') }
    return (await import('./zoowire.ts')).contend(plan, build)
  },
  baseline: async (plan) => {
    const from = (file: string) => pathToFileURL(`${plan.baseline}/${file}`).href
    const client = (await import(from('index.js'))) as Build['client']
    const recipes = (await import(from('recipes/index.js'))) as Build['recipes']
    return (await import('./zoowire.ts')).contend(plan, { client, recipes })
  },
}

const plan = JSON.parse(process.argv[2]!) as Plan & { readonly contestant: Own }
const contender = await start[plan.contestant](plan)
const meter = new Meter(plan.inFlight)
const done = contender.run(meter)
const measured = await meter.measure(plan)
meter.isRunning = false
await done
const measurement: Measurement = { ...measured, operationsInAll: meter.operations }
process.send?.(measurement)
await contender.close()
process.disconnect?.()
