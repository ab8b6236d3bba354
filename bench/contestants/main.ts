/** One contestant's turn: a process that is given a plan, carries it out, reports and ends. */
import { pathToFileURL } from 'node:url'
import type * as zoowire from 'zoowire'
import { type Contestant, type Measurement, type Plan } from '../plan.ts'
import { type Contender, Meter } from './meter.ts'

const start: Record<Contestant, (plan: Plan) => Promise<Contender>> = {
  'raw socket': async (plan) => (await import('./raw-socket.ts')).contend(plan),
  'node-zookeeper-client': async (plan) =>
    (await import('./node-zookeeper-client.ts')).contend(plan),
  zoowire: async (plan) => (await import('./zoowire.ts')).contend(plan, await import('zoowire')),
  baseline: async (plan) => {
    const build = pathToFileURL(`${plan.baseline}/index.js`).href
    const baseline = (await import(build)) as typeof zoowire
    return (await import('./zoowire.ts')).contend(plan, baseline)
  },
}

const plan = JSON.parse(process.argv[2]!) as Plan
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
