/**
 * Clients, servers and the links between them, in one process, under one clock and one seed.
 *
 * The client and the server are the ones that are shipped; only what `Runtime` and `Clock` stand for
 * is replaced. Time stands still while anything is done and then jumps to whatever is due next, so hours
 * pass in seconds, and the same seed gives the same run, event by event.
 *
 * After each event the world waits for one turn of the event loop, in which every promise reaction
 * that the event set off has run. Nothing else may be waited for: real I/O has no place here.
 */
import { createHash } from 'node:crypto'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { type ConnectOptions, ZooKeeper } from '../client/index.ts'
import { LeaseTimers } from '../session/lease-timers.ts'
import { type Link, type Runtime, type Target, type Transport } from '../session/runtime.ts'
import { usualSchemes } from '../testing/acl.ts'
import { profileOf } from '../testing/profile.ts'
import { Quorum } from '../testing/quorum.ts'
import { type Replica } from '../testing/replica.ts'
import { VirtualClock } from './clock.ts'
import { type Host, Network, type NetworkOptions } from './network.ts'
import { Prng } from '../testing/prng.ts'

export interface WorldOptions {
  /** A whole number. Two worlds with the same seed do the same. */
  readonly seed: number
  /** Members of the ensemble, each on a host of its own. Default 3. */
  readonly servers?: number
  readonly tickTimeMs?: number
  /** More events than this are a run that will not end. Default a million. */
  readonly eventsMax?: number
  readonly network?: Partial<NetworkOptions>
}

/** A dial that a client made. */
export interface Dial {
  readonly client: number
  readonly atMs: number
}

export class World {
  readonly clock = new VirtualClock()
  /** For whoever plans what happens; the parts of the world have dice of their own. */
  readonly dice: Prng
  readonly network: Network
  /** The servers, one on each host. */
  readonly quorum: Quorum
  /** All hosts. */
  readonly connectString: string
  readonly dials: Dial[] = []
  /** What has been done so far, in one number: network and timers. */
  events = 0
  readonly #eventsMax: number
  readonly #hostOf = new Map<Replica, Host>()
  readonly #trace = createHash('sha256')
  #clients = 0

  constructor({
    seed,
    servers = 3,
    tickTimeMs = 500,
    eventsMax = 1_000_000,
    network = {},
  }: WorldOptions) {
    this.#eventsMax = eventsMax
    this.dice = new Prng(seed)
    this.network = new Network(this.clock, this.dice.fork(), this.#note, {
      latencyMsMax: 20,
      sliceChance: 0.1,
      slowWriteChance: 0.5,
      ...network,
    })
    const dice = this.dice.fork()
    this.quorum = new Quorum({
      clock: this.clock,
      profile: profileOf('3.9'),
      members: servers,
      electionMs: () => electionMs(dice),
      readOnlyAfterMs: null,
      tickTimeMs,
      sessionTimeoutMsMin: 2 * tickTimeMs,
      sessionTimeoutMsMax: 40 * tickTimeMs,
      logEntriesMax: 1_000_000,
      hasExtendedTypes: true,
      enforcesQuotas: false,
      superDigest: null,
      schemes: usualSchemes,
      sweepIntervalMs: 1_000,
    })
    const names = this.quorum.replicas.map((replica, i) => {
      const name = `server-${i + 1}`
      this.#hostOf.set(
        replica,
        this.network.addHost(name, (wire) => replica.keeper.accept(wire)),
      )
      return name
    })
    this.connectString = names.map((name) => `${name}:2181`).join(',')
    this.quorum.begin()
  }

  /** A client of its own, as if in a process of its own. Someone must {@link run} the world meanwhile. */
  connect(options: ConnectOptions = {}): Promise<ZooKeeper> {
    return ZooKeeper.connect(this.#newRuntime(), this.connectString, options)
  }

  /** The server that a client is connected to. */
  memberOf({ server }: ZooKeeper): Replica | undefined {
    return this.quorum.replicas.find((replica) => {
      return server === `${this.#hostOf.get(replica)!.address}:2181`
    })
  }

  /** Lets the world go on until the promise has settled, and hands its result on. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settled = () => {
      isSettled = true
    }
    promise.then(settled, settled)
    await turnOfTheLoop()
    while (!isSettled) {
      if (!this.clock.step()) throw new Error('nothing is due any more, and the promise is pending')
      if (++this.events > this.#eventsMax) throw new Error(`no end after ${this.events} events`)
      await turnOfTheLoop()
    }
    return promise
  }

  /** For use within what is being run. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.timer(this.clock.nowMs() + ms, resolve)
    })
  }

  /** These servers go away, and come back so much later with everything they have written down. */
  restart(downMs: number, replicas = this.quorum.replicas): void {
    const running = replicas.filter(({ isRunning }) => isRunning)
    for (const replica of running) {
      this.#hostOf.get(replica)!.isUp = false
      this.quorum.stop(replica)
    }
    this.#later(downMs, () => {
      for (const replica of running) {
        this.#hostOf.get(replica)!.isUp = true
        this.quorum.start(replica)
      }
    })
  }

  /** For so long a follower hears of each transaction late. */
  lag(replica: Replica, ms: number): void {
    const endMs = this.clock.nowMs() + ms
    replica.hold()
    const hearMore = () => {
      const isOver = this.clock.nowMs() >= endMs
      this.quorum.release(replica, isOver ? Infinity : this.dice.int(1, 3))
      if (!isOver) this.#later(this.dice.int(10, 500), hearMore)
    }
    this.#later(this.dice.int(10, 500), hearMore)
  }

  /** A member loses sight of the others, notices it after a while, and later sees them again. */
  part(replica: Replica, noticedMs: number, healedMs: number): void {
    this.quorum.part([replica], false)
    this.#later(noticedMs, () => {
      if (replica.isApart) this.quorum.part([replica], true)
    })
    this.#later(noticedMs + healedMs, () => this.quorum.heal())
  }

  /** Whatever is wrong with the servers, is not any more. */
  mend(): void {
    for (const host of this.network.hosts.values()) {
      host.isUp = true
      host.isSilent = false
    }
    this.quorum.heal()
    for (const replica of this.quorum.replicas) {
      this.quorum.start(replica)
      this.quorum.release(replica, Infinity)
    }
  }

  /** A number for everything that has arrived anywhere, and when: equal runs have equal ones. */
  digest(): string {
    return this.#trace.copy().digest('hex')
  }

  #later(ms: number, run: () => void): void {
    this.clock.timer(this.clock.nowMs() + ms, run)
  }

  readonly #note = (what: string, bytes: Uint8Array | null): void => {
    this.#trace.update(`${this.clock.nowMs()} ${what}\n`)
    if (bytes !== null) this.#trace.update(bytes)
  }

  #newRuntime(): Runtime {
    const { clock, network } = this
    const client = ++this.#clients
    const dice = this.dice.fork()
    const originMs = dice.int(0, 1_000_000) // so that nobody takes it for the server's clock
    const nowMs = () => originMs + clock.nowMs()
    const timer = (atMs: number, fire: () => void) => {
      // Adding and taking off the origin may round: better a little late than early for ever.
      const dueMs = atMs - originMs
      return clock.timer(originMs + dueMs < atMs ? dueMs + 1e-6 : dueMs, fire)
    }
    const leases = new LeaseTimers({ nowMs, uptimeMs: nowMs, timer })
    return {
      nowMs,
      uptimeMs: nowMs,
      wallMs: () => clock.wallMs(),
      timer,
      leaseTimer: (atMs, fire) => leases.add(atMs, fire),
      settleLeases: () => {
        leases.settle()
      },
      defer: (run) => clock.timer(clock.nowMs(), run),
      random: () => dice.next(),
      uuid: () => dice.uuid(),
      resolve: (name) => Promise.resolve([name]),
      resolveService: (name) => Promise.reject(new Error(`no DNS knows ${name}`)),
      dial: (target: Target, link: Link): Transport => {
        this.dials.push({ client, atMs: clock.nowMs() })
        return network.dial(target, link, client)
      },
    }
  }
}

/** Some hundred milliseconds as a rule; at times longer than some sessions last. */
function electionMs(dice: Prng): number {
  return dice.chance(0.1) ? dice.int(1_000, 10_000) : dice.int(100, 1_000)
}
