import { once } from 'node:events'
import zookeeper from 'node-zookeeper-client'
import { benchPath, mixedPeriod, type Plan, type RequestWorkload, shapeOf } from '../plan.ts'
import { type Contender, type Meter } from './meter.ts'

type Done = (error: Error | zookeeper.Exception | null) => void
type Call = (turn: number, done: Done) => void

/** So many chains, each of which makes its next call in the callback of the last. */
export async function contend(plan: Plan): Promise<Contender> {
  const { workload } = plan
  if (workload === 'lock') throw new Error('this client has no lock')
  const client = zookeeper.createClient(plan.hosts[0]!)
  client.connect()
  await once(client, 'connected')
  const value = Buffer.alloc(plan.valueBytes, 'x')

  const { chains, perCall } = shapeOf(plan)
  const callOf: Record<RequestWorkload, (chain: number) => Call> = {
    getData: () => (_turn, done) => client.getData(benchPath, done),
    getMany: () => (_turn, done) => {
      let left = perCall
      const countDown: Done = (error) => {
        if (--left === 0 || error) done(error)
      }
      for (let i = 0; i < perCall; i++) client.getData(benchPath, countDown)
    },
    setData: () => (_turn, done) => client.setData(benchPath, value, done),
    'create-delete': (chain) => {
      const path = `${benchPath}/${process.pid}-${chain}`
      return (turn, done) => {
        if (turn % 2 === 0) client.create(path, value, done)
        else client.remove(path, done)
      }
    },
    mixed: (chain) => (turn, done) => {
      if ((chain + turn) % mixedPeriod === 0) client.setData(benchPath, value, done)
      else client.getData(benchPath, done)
    },
  }

  return {
    async run(meter) {
      const ends = Array.from({ length: chains }, (_, chain) =>
        runChain(meter, chain < meter.timed, callOf[workload](chain), perCall),
      )
      await Promise.all(ends)
    },
    async close() {
      client.close()
      await once(client, 'disconnected')
    },
  }
}

/** An error ends the process: this client hangs in a loop if it is retried within its callback. */
function runChain(meter: Meter, isTimed: boolean, call: Call, requests: number): Promise<void> {
  return new Promise((resolve) => {
    let turn = 0
    let atMs = 0
    const done: Done = (error) => {
      if (error !== null && error !== undefined) throw new Error('a call failed', { cause: error })
      meter.count(atMs, requests)
      next()
    }
    const next = () => {
      if (!meter.isRunning) {
        resolve()
        return
      }
      atMs = isTimed ? performance.now() : 0
      call(turn++, done)
    }
    next()
  })
}
