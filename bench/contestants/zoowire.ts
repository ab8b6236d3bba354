import type * as zoowire from 'zoowire'
import { benchPath, mixedPeriod, type Plan, type Workload } from '../plan.ts'
import { type Contender, type Meter } from './meter.ts'

type Call = (turn: number) => Promise<unknown>

/** As a user would write it: so many loops, each of which awaits one call after the other. */
export async function contend(plan: Plan, { connect }: typeof zoowire): Promise<Contender> {
  const zk = await connect(`${plan.host}:${plan.port}`)
  const value = Buffer.alloc(plan.valueBytes, 'x')
  const { data } = await zk.getData(benchPath)
  if (data?.length !== value.length) throw new Error('the znode is not what was planned')

  const callOf: Record<Workload, (loop: number) => Call> = {
    getData: () => () => zk.getData(benchPath),
    setData: () => () => zk.setData(benchPath, value),
    'create-delete': (loop) => {
      const path = `${benchPath}/${process.pid}-${loop}`
      return (turn) => (turn % 2 === 0 ? zk.create(path, value) : zk.delete(path))
    },
    mixed: (loop) => (turn) => {
      return (loop + turn) % mixedPeriod === 0
        ? zk.setData(benchPath, value)
        : zk.getData(benchPath)
    },
  }

  return {
    async run(meter) {
      const loops = Array.from({ length: plan.inFlight }, (_, loop) =>
        runLoop(meter, loop < meter.timed, callOf[plan.workload](loop)),
      )
      await Promise.all(loops)
    },
    close: () => zk.close(),
  }
}

async function runLoop(meter: Meter, isTimed: boolean, call: Call): Promise<void> {
  for (let turn = 0; meter.isRunning; turn++) {
    const atMs = isTimed ? performance.now() : 0
    await call(turn)
    meter.count(atMs)
  }
}
