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
import { Keeper } from '../testing/keeper.ts'
import { profileOf } from '../testing/profile.ts'
import { VirtualClock } from './clock.ts'
import { Network, type NetworkOptions } from './network.ts'
import { Prng } from '../testing/prng.ts'

export interface WorldOptions {
  /** A whole number. Two worlds with the same seed do the same. */
  readonly seed: number
  /** Hosts, all in front of one history. Default 3. */
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
  readonly keeper: Keeper
  /** All hosts. */
  readonly connectString: string
  readonly dials: Dial[] = []
  /** What has been done so far, in one number: network and timers. */
  events = 0
  readonly #eventsMax: number
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
    this.keeper = new Keeper({
      clock: this.clock,
      profile: profileOf('3.9'),
      serverId: 1,
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
    const names = Array.from({ length: servers }, (_, i) => `server-${i + 1}`)
    for (const name of names) this.network.addHost(name, (wire) => this.keeper.accept(wire))
    this.connectString = names.map((name) => `${name}:2181`).join(',')
  }

  /** A client of its own, as if in a process of its own. Someone must {@link run} the world meanwhile. */
  connect(options: ConnectOptions = {}): Promise<ZooKeeper> {
    return ZooKeeper.connect(this.#newRuntime(), this.connectString, options)
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

  /** All servers go away, and come back so much later with everything they knew. */
  restart(downMs: number): void {
    this.keeper.pause()
    for (const host of this.network.hosts.values()) host.isUp = false
    this.clock.timer(this.clock.nowMs() + downMs, () => {
      for (const host of this.network.hosts.values()) host.isUp = true
      this.keeper.resume()
    })
  }

  /** A number for everything that has arrived anywhere, and when: equal runs have equal ones. */
  digest(): string {
    return this.#trace.copy().digest('hex')
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
