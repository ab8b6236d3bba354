/** Several servers in front of one history. */
import { type Cable } from './cable.ts'
import { Keeper } from './keeper.ts'
import { type Wire } from './link.ts'
import { Door } from './listener.ts'
import { Oracle } from './oracle.ts'
import { preload } from './preload.ts'
import { keeperOptionsOf, type TestServerOptions } from './server.ts'

export interface TestEnsembleOptions extends Omit<TestServerOptions, 'port'> {
  /** How many servers. Default 3. */
  readonly members?: number
  /** Whether members without a majority serve reads to clients that accept that. Default false. */
  readonly readOnlyMode?: boolean
}

/** One server of a {@link TestEnsemble}. */
export interface TestMember {
  readonly port: number
  /** `127.0.0.1:2181` */
  readonly address: string
  readonly isRunning: boolean
  readonly isLeader: boolean
  /**
   * Goes away: its connections are reset, dials are refused. If it led, all other members end their
   * connections, too, and one of them leads. Without a majority none serves.
   */
  stop(): Promise<void>
  /** Comes back at the same port. Idempotent. */
  restart(): Promise<void>
  /** Resets its connections. The sessions live on, and can move to other members. */
  cut(): void
}

/**
 * ZooKeeper servers in this process, each on a port of its own, with one history: sessions move between
 * them, members go and come back, leaders change, a majority is lost.
 *
 * All members see every change at once: none lags behind.
 *
 * @example
 * await using ensemble = await TestEnsemble.start()
 * const zk = await connect(ensemble.connectString)
 * await ensemble.leader?.stop() // another member leads, and the session goes on there
 */
export class TestEnsemble extends Oracle implements AsyncDisposable {
  readonly members: readonly TestMember[]
  readonly #members: readonly Member[]
  readonly #hasReadOnlyMode: boolean
  #leader: Member | null = null
  #isClosed = false

  /** Starts all members. They serve when the promise resolves. */
  static async start(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
    const ensemble = new TestEnsemble(options)
    await Promise.all(ensemble.#members.map(({ door }) => door.open()))
    ensemble.#elect()
    return ensemble
  }

  private constructor(options: TestEnsembleOptions) {
    super(new Keeper(keeperOptionsOf(options)))
    if (options.tree !== undefined) preload(this.keeper.state, options.tree)
    this.#hasReadOnlyMode = options.readOnlyMode ?? false
    const hosts = {
      accept: (wire: Wire) => this.#accept(wire),
      leads: (member: Member) => member === this.#leader,
      handleGone: (member: Member) => this.#handleGone(member),
      handleBack: () => this.#handleBack(),
    }
    this.#members = Array.from(
      { length: options.members ?? 3 },
      () => new Member({ ...options, port: 0 }, hosts),
    )
    this.members = this.#members
  }

  /** All members, for a client. */
  get connectString(): string {
    const scheme = this.#members[0]?.door.scheme ?? ''
    return scheme + this.#members.map(({ address }) => address).join(',')
  }

  /** Null while there is no majority. */
  get leader(): TestMember | null {
    return this.#leader
  }

  /**
   * Another member leads: all connections end, the zxids begin anew behind a higher epoch, and every
   * session has its whole timeout again.
   *
   * @throws {Error} if there is no other member that could.
   */
  changeLeader(): void {
    const next = this.#running.find((member) => member !== this.#leader)
    if (this.#leader === null || next === undefined) throw new Error('nobody else can lead')
    this.keeper.pause()
    this.#elect(next)
  }

  /** All members lose their data and sessions; all connections end. */
  wipe(): void {
    this.keeper.wipe()
  }

  /** Ends it for good. Idempotent, and leaves no socket and no timer behind. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.faults.clear()
    this.keeper.pause()
    await Promise.all(this.#members.map(({ door }) => door.close()))
    this.keeper.state.changes.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #running(): readonly Member[] {
    return this.#members.filter(({ isRunning }) => isRunning)
  }

  get #hasMajority(): boolean {
    return 2 * this.#running.length > this.#members.length
  }

  #elect(leader = this.#running[0] ?? null): void {
    this.#leader = leader
    this.keeper.state.lastZxid = ((this.keeper.state.lastZxid >> 32n) + 1n) << 32n
    this.keeper.resume()
    this.keeper.state.changes.note()
  }

  /** Whoever has no majority sends its clients away, unless they are content to read. */
  #accept(wire: Wire): Cable {
    const cable = this.keeper.accept(wire)
    if (this.#leader === null && !this.keeper.state.isReadOnly) cable.reset()
    return cable
  }

  #handleGone(member: Member): void {
    if (this.#isClosed || this.#leader === null) return
    if (this.#hasMajority && member !== this.#leader) return
    this.keeper.pause()
    if (this.#hasMajority) return this.#elect()
    this.#leader = null
    if (this.#hasReadOnlyMode) this.keeper.setReadOnly(true)
    this.keeper.state.changes.note()
  }

  #handleBack(): void {
    if (this.#isClosed) throw new Error('the ensemble is closed')
    if (this.#leader !== null || !this.#hasMajority) return
    this.keeper.setReadOnly(false)
    this.keeper.pause()
    this.#elect()
  }
}

interface MemberHost {
  accept(wire: Wire): Cable
  leads(member: Member): boolean
  handleGone(member: Member): void
  handleBack(): void
}

class Member implements TestMember {
  readonly door: Door
  readonly #host: MemberHost
  #cables: readonly Cable[] = []

  constructor(options: TestServerOptions, host: MemberHost) {
    this.#host = host
    this.door = new Door(options, (wire) => {
      const cable = host.accept(wire)
      this.#cables = [...this.#cables.filter(({ link }) => !link.isClosed), cable]
      return cable
    })
  }

  get port(): number {
    return this.door.port
  }

  get address(): string {
    return this.door.address
  }

  get isRunning(): boolean {
    return this.door.isOpen
  }

  get isLeader(): boolean {
    return this.#host.leads(this)
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return
    const closed = this.door.close()
    this.cut()
    this.#host.handleGone(this)
    await closed
  }

  async restart(): Promise<void> {
    if (this.isRunning) return
    await this.door.open()
    this.#host.handleBack()
  }

  cut(): void {
    for (const cable of this.#cables) cable.reset()
    this.#cables = []
  }
}
