import type * as zoowire from 'zoowire'
import type * as recipes from 'zoowire/recipes'
import {
  benchPath,
  lockPath,
  mixedPeriod,
  type Plan,
  type RequestWorkload,
  shapeOf,
} from '../plan.ts'
import { type Contender, type Meter } from './meter.ts'

type Call = (turn: number) => Promise<unknown>

export interface Build {
  readonly client: typeof zoowire
  readonly recipes: typeof recipes
}

export function contend(plan: Plan, build: Build): Promise<Contender> {
  const { workload } = plan
  return workload === 'lock' ? contendForLock(plan, build) : request(plan, workload, build)
}

/** As a user would write it: so many loops, each of which awaits one call after the other. */
async function request(
  plan: Plan,
  workload: RequestWorkload,
  { client: { connect } }: Build,
): Promise<Contender> {
  const zk = await connect(plan.hosts[0]!)
  const value = Buffer.alloc(plan.valueBytes, 'x')
  const { data } = await zk.getData(benchPath)
  if (data?.length !== value.length) throw new Error('the znode is not what was planned')

  const { chains, perCall } = shapeOf(plan)
  const paths = new Array<string>(perCall).fill(benchPath)
  const callOf: Record<RequestWorkload, (loop: number) => Call> = {
    getData: () => () => zk.getData(benchPath),
    getMany: () => () => zk.getMany(paths),
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
      const loops = Array.from({ length: chains }, (_, loop) =>
        runLoop(meter, loop < meter.timed, callOf[workload](loop), perCall),
      )
      await Promise.all(loops)
    },
    close: () => zk.close(),
  }
}

async function runLoop(
  meter: Meter,
  isTimed: boolean,
  call: Call,
  requests: number,
): Promise<void> {
  for (let turn = 0; meter.isRunning; turn++) {
    const atMs = isTimed ? performance.now() : 0
    await call(turn)
    meter.count(atMs, requests)
  }
}

/** Sessions that take the lock, give it back at once and stand in line again. */
async function contendForLock(
  { hosts, inFlight }: Plan,
  { client: { connect }, recipes: { Lock } }: Build,
): Promise<Contender> {
  const clients = await Promise.all(
    Array.from({ length: inFlight }, (_, i) => connect(hosts[i % hosts.length]!)),
  )
  let releasedAtMs = 0
  const takeTurns = async (meter: Meter, zk: zoowire.ZooKeeper) => {
    const lock = new Lock(zk, `${lockPath}/${process.pid}`)
    while (meter.isRunning) {
      const held = await lock.acquire()
      meter.count(releasedAtMs)
      releasedAtMs = performance.now()
      await held.release()
    }
  }
  return {
    async run(meter) {
      await Promise.all(clients.map((zk) => takeTurns(meter, zk)))
    },
    async close() {
      await Promise.all(clients.map((zk) => zk.close()))
    },
  }
}
