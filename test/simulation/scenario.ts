/**
 * One run: three clients write, read, watch and contend for a lock, while faults strike; then the
 * faults stop, and everything that was promised must be true.
 */
import { type ConnectOptions, type ZooKeeper } from '../../src/index.ts'
import { World } from '../../src/simulation/world.ts'
import { planFaults, type Struck } from './faults.ts'
import { Leavers, leftPaths } from './leavers.ts'
import { Lockers } from './lockers.ts'
import { churn, Mirror, Observer, Reader } from './readers.ts'
import { Violations } from './violations.ts'
import { parents, Writers } from './writers.ts'

export interface Report {
  readonly seed: number
  readonly violations: readonly string[]
  readonly digest: string
  readonly events: number
  readonly operations: number
  readonly faults: Readonly<Record<string, number>>
  readonly outcomes: Readonly<Record<string, number>>
  readonly leases: number
  readonly simulatedMs: number
}

const names = ['a', 'b', 'c'] as const
const faultsPerRun = 40
const faultsFromMs = 5_000 // by then everything is prepared
const faultsEndMs = 65_000

/** When faults have stopped, whatever is still missing must come within this. */
const patienceMs = 120_000

/** By then servers have closed the connections that clients have left unseen. */
const abandonedMs = 7_000

/** A run has four thousand or so. */
const eventsMax = 100_000

/** No client may dial more often than this within a second, whatever happens. */
const dialsPerSecondMax = 20

const clientOptions: ConnectOptions = {
  sessionTimeout: 6_000,
  requestTimeout: 10_000,
  connectTimeout: Infinity,
}

export async function simulate(seed: number): Promise<Report> {
  const world = new World({ seed, eventsMax })
  const violations = new Violations()
  const scenario = new Scenario(world, violations)
  try {
    await world.run(scenario.play())
    while (world.clock.step()) await world.run(Promise.resolve()) // whatever is still due
    scenario.judgeRemains()
  } catch (error) {
    violations.add(`the run ended with ${String(error)}`)
  }
  return { seed, violations: violations.list, digest: world.digest(), ...scenario.figures() }
}

class Scenario {
  readonly #world: World
  readonly #violations: Violations
  readonly #writers: Writers
  readonly #lockers: Lockers
  readonly #leavers: Leavers
  readonly #readers: Reader[] = []
  readonly #struck: Struck

  constructor(world: World, violations: Violations) {
    this.#world = world
    this.#violations = violations
    this.#writers = new Writers(world, violations)
    this.#leavers = new Leavers(world, violations)
    this.#struck = planFaults(world, faultsPerRun, { fromMs: faultsFromMs, endMs: faultsEndMs })
    this.#lockers = new Lockers(world, violations, this.#struck.expired)
  }

  async play(): Promise<void> {
    const clients = await Promise.all(names.map(() => this.#world.connect(clientOptions)))
    await this.#prepare(clients[0]!)
    const mirrors = clients.map(() => new Mirror())
    const observers = clients.map(() => new Observer())
    const following = clients.flatMap((zk, i) => [
      mirrors[i]!.follow(zk),
      observers[i]!.follow(zk, names[i]!, this.#violations),
    ])
    await Promise.all(clients.map((zk, i) => this.#work(zk, names[i]!)))
    await this.#settle(clients, mirrors, observers)
    await this.#world.sleep(abandonedMs)
    this.#writers.judge()
    this.#leavers.judge()
    await this.#close(clients)
    await Promise.all(following)
  }

  async #prepare(zk: ZooKeeper): Promise<void> {
    for (const path of [...parents, ...leftPaths]) await zk.create(path)
    for (const name of names) await this.#writers.prepare(zk, name)
  }

  async #work(zk: ZooKeeper, name: string): Promise<void> {
    const dice = this.#world.dice.fork()
    const reader = new Reader(zk, name, this.#world, this.#violations)
    this.#readers.push(reader)
    await Promise.all([
      this.#writers.work(zk, name, faultsEndMs, dice.fork()),
      reader.work(faultsEndMs, dice.fork()),
      this.#leavers.work(zk, faultsEndMs, dice.fork()),
      churn(zk, name, faultsEndMs, this.#world, dice.fork()),
      this.#lockers.work(zk, name, faultsEndMs, dice.fork()),
    ])
  }

  /** Liveness: every picture becomes true, everybody is connected again and gets the lock once. */
  async #settle(
    clients: readonly ZooKeeper[],
    mirrors: readonly Mirror[],
    observers: readonly Observer[],
  ): Promise<void> {
    const deadlineMs = this.#world.clock.nowMs() + patienceMs
    const { tree } = this.#world.quorum.state // nobody else will lead
    await Promise.all(clients.map((zk) => zk.waitFor('connected', { timeout: patienceMs })))
    const served = clients.map((zk, i) => {
      return this.#lockers.acquire(zk, names[i]!, this.#world.dice.fork(), patienceMs)
    })
    await Promise.all(served)
    const isTrue = () => {
      const children = tree.get('/ephemeral')!.children
      return (
        mirrors.every((mirror) => isSame(mirror.children, children)) &&
        observers.every(({ newest }) => newest === tree.get('/shared')!.stat.mzxid)
      )
    }
    while (!isTrue() && this.#world.clock.nowMs() < deadlineMs) await this.#world.sleep(100)
    this.#violations.expect(isTrue(), () => {
      const truth = [...tree.get('/ephemeral')!.children].join(' ')
      const pictures = mirrors.map(({ children }) => [...children].join(' ')).join(' | ')
      const values = observers.map(({ newest }) => newest).join(' ')
      return `pictures stayed wrong: ${pictures} for ${truth}; ${values} for ${tree.get('/shared')!.stat.mzxid}`
    })
  }

  /** A session is over when `close()` says so, not when its timeout has passed. */
  async #close(clients: readonly ZooKeeper[]): Promise<void> {
    const ids = clients.map(({ session }) => session.id)
    await Promise.all(clients.map((zk) => zk.close()))
    const left = ids.filter((id) => this.#world.quorum.state.sessions.get(id) !== undefined)
    this.#violations.expect(left.length === 0, () => `closed, but ${left.length} sessions go on`)
  }

  /** When everybody has closed and nothing is due, nothing may be left. */
  judgeRemains(): void {
    const { sessions, tree } = this.#world.quorum.state
    this.#violations.expect(sessions.size === 0, () => `${sessions.size} sessions are left`)
    const waiting = tree.get('/lock')?.children.size ?? 0
    this.#violations.expect(waiting === 0, () => `${waiting} contenders are left`)
    const dials = busiestSecond(this.#world.dials)
    this.#violations.expect(dials <= dialsPerSecondMax, () => `${dials} dials within a second`)
  }

  figures() {
    return {
      events: this.#world.events,
      operations: this.#writers.count + this.#readers.reduce((sum, { count }) => sum + count, 0),
      faults: this.#struck.counts,
      outcomes: this.#writers.outcomes(),
      leases: this.#lockers.count,
      simulatedMs: this.#world.clock.nowMs(),
    }
  }
}

function isSame(a: ReadonlySet<string>, b: Iterable<string>): boolean {
  const others = [...b]
  return a.size === others.length && others.every((one) => a.has(one))
}

/** The most dials of one client within any second. */
function busiestSecond(dials: World['dials']): number {
  let most = 0
  for (const client of new Set(dials.map((dial) => dial.client))) {
    const times = dials.filter((dial) => dial.client === client).map(({ atMs }) => atMs)
    for (const [i, atMs] of times.entries()) {
      most = Math.max(most, times.slice(i).filter((other) => other < atMs + 1_000).length)
    }
  }
  return most
}
