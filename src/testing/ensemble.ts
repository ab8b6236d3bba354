/** Several servers that keep one history, each behind a port. */
import { type Duplex } from 'node:stream'
import { type Backup } from './member-state.ts'
import { Door } from './listener.ts'
import { connectionError } from './memory-link.ts'
import { Oracle } from './oracle.ts'
import { preload } from './preload.ts'
import { Quorum } from './quorum.ts'
import { keeperOptionsOf, portOf, type TestServerOptions } from './server.ts'
import { TestMember } from './member.ts'

export interface TestEnsembleOptions extends Omit<TestServerOptions, 'port'> {
  /** How many servers. Default 3. */
  readonly members?: number
  /**
   * How many servers run besides: they follow the leader and serve clients, and do not vote until a
   * `reconfig` makes them members. Default 0.
   */
  readonly outsiders?: number
  /** Whether members without a leader serve reads to clients that accept that. Default false. */
  readonly readOnlyMode?: boolean
  /**
   * How long a majority that has lost its leader takes to find another, in milliseconds of `clock`: the
   * members have closed their connections, and whoever comes meanwhile is sent away. Real ones take some
   * hundred. Default 0: another leads at once. The first leader takes no time.
   */
  readonly electionTime?: number
  /**
   * How long members look for a leader until `readOnlyMode` lets them serve reads, in milliseconds. Default
   * 0, and where elections take time two seconds, or a tick if that is longer, as in ZooKeeper.
   */
  readonly readOnlyDelay?: number
}

export interface PartitionOptions {
  /**
   * Whether members that are cut off from the majority know it. Real ones take a while to notice, and
   * go on answering reads and pings meanwhile, while their clients' sessions run out. Default true.
   */
  readonly noticed?: boolean
}

/**
 * ZooKeeper servers in this process, each on a port of its own, that keep one history: a leader decides
 * on writes, a majority makes them true, and each member shows what it has heard of. Members go and come
 * back, lag behind, are cut off; leaders change; data is lost, or put back from a backup.
 *
 * What the ensemble tells (`get`, `log`, …) is what has happened; what a member tells is what it knows.
 *
 * @example
 * await using ensemble = await TestEnsemble.start()
 * const zk = await connect(ensemble.connectString)
 * await ensemble.leader?.stop() // another member leads, and the session goes on there
 */
export class TestEnsemble extends Oracle implements AsyncDisposable {
  /** Those that it began with, whatever a `reconfig` has made of them. */
  readonly members: readonly TestMember[]
  readonly outsiders: readonly TestMember[]
  readonly #quorum: Quorum
  #isClosed = false

  /** Starts all members. They serve when the promise resolves. */
  static async start(options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
    const ensemble = new TestEnsemble(options)
    await Promise.all(ensemble.#servers.map((server) => server.open()))
    const lines = ensemble.members.map(({ configLine }) => configLine)
    const config = [...lines, 'version=0'].join('\n')
    ensemble.#quorum.preset((state) => state.tree.presetConfig(config))
    ensemble.#quorum.begin()
    return ensemble
  }

  private constructor(options: TestEnsembleOptions) {
    const { members = 3, outsiders = 0 } = options
    const quorum = new Quorum({
      ...keeperOptionsOf(options),
      members,
      outsiders,
      electionMs: () => options.electionTime ?? 0,
      readOnlyAfterMs: readOnlyAfterMsOf(options),
    })
    super(quorum)
    this.#quorum = quorum
    const { tree } = options
    if (tree !== undefined) quorum.preset((state) => preload(state, tree))
    const servers = quorum.replicas.map((replica, index) => {
      const port = portOf(options, index + 1)
      const door = new Door({ ...options, port }, (wire) => replica.keeper.accept(wire))
      return new TestMember(replica, quorum, door)
    })
    this.members = servers.slice(0, members)
    this.outsiders = servers.slice(members)
  }

  /** The option `dial` of `connect`: connections in memory, to the member that has the port. */
  readonly dial = async ({ port }: { readonly port: number }): Promise<Duplex> => {
    const member = this.#servers.find((one) => one.port === port)
    if (member === undefined) throw connectionError('ECONNREFUSED')
    return member.dial()
  }

  /** All members, for a client. */
  get connectString(): string {
    const scheme = this.members[0]?.scheme ?? ''
    return scheme + this.members.map(({ address }) => address).join(',')
  }

  /** Null while there is no majority, or it has not found a leader yet. */
  get leader(): TestMember | null {
    return this.#servers.find(({ isLeader }) => isLeader) ?? null
  }

  /** All members but the leader. */
  get followers(): readonly TestMember[] {
    return this.members.filter(({ isLeader }) => !isLeader)
  }

  /** The member at `host:port`, such as the one that a client names in `zk.server`. */
  memberAt(address: string | null): TestMember {
    const member = this.#servers.find((candidate) => candidate.address === address)
    if (member === undefined) throw new Error(`no member is at ${String(address)}`)
    return member
  }

  /**
   * Another member leads, after `electionTime`: all connections end, the zxids begin anew behind a higher
   * epoch, and every session has its whole timeout again. Nothing is lost.
   *
   * @throws {Error} if there is no other member that could.
   */
  changeLeader(): void {
    this.#quorum.changeLeader()
  }

  /**
   * These members, and the others, lose sight of each other. A side with the majority goes on, with
   * another leader if it has none. Members on the other side send their clients away, or serve
   * reads with `readOnlyMode`. Once more with `noticed`, members that did not know it learn it.
   */
  partition(members: readonly TestMember[], { noticed = true }: PartitionOptions = {}): void {
    this.#quorum.part(
      members.map(({ replica }) => replica),
      noticed,
    )
  }

  /** All members see each other again, and know the same. Those that were cut off end their connections. */
  heal(): void {
    this.#quorum.heal()
  }

  /**
   * Expires a session now, or when there is a leader who can: see {@link TestServer.expire}.
   *
   * @throws {Error} if there is no such session.
   * @throws {ZooKeeperError} `TIMEOUT` if there is no leader for ten seconds.
   */
  override async expire(sessionId: bigint): Promise<void> {
    if (this.leader === null) await this.until(() => this.leader !== null)
    await super.expire(sessionId)
  }

  /** All members lose their data and sessions; all connections end. */
  wipe(): void {
    this.#quorum.wipe()
  }

  /** What has happened so far, to be put back later. */
  backup(): Backup {
    return this.#quorum.backup()
  }

  /**
   * All members go back to what they had then, sessions included; all connections end. The leader's
   * epoch follows that of the backup. Clients that have seen later transactions are refused without
   * a word, until the zxids have passed what they saw.
   */
  restore(backup: Backup): void {
    this.#quorum.restore(backup)
  }

  /** Ends it for good. Idempotent, and leaves no socket and no timer behind. */
  async close(): Promise<void> {
    if (!this.#isClosed) this.#quorum.close()
    this.#isClosed = true
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  get #servers(): readonly TestMember[] {
    return [...this.members, ...this.outsiders]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const readOnlyDelayMsUsual = 2000

function readOnlyAfterMsOf({
  readOnlyMode,
  readOnlyDelay,
  electionTime = 0,
  tickTime = 0,
}: TestEnsembleOptions): number | null {
  if (readOnlyMode !== true) return null
  return readOnlyDelay ?? (electionTime === 0 ? 0 : Math.max(readOnlyDelayMsUsual, tickTime))
}
