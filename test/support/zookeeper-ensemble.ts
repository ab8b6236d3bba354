import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from './free-port.ts'
import { type LoggedTransaction, readTransactionLog } from './transaction-log.ts'
import { type ServerMode, ZooKeeperServer } from './zookeeper-server.ts'

export interface ZooKeeperEnsembleOptions {
  /** Members with a vote. Default 3. */
  readonly size?: number
  /** Further members without one, behind the others in `members`. Default none. */
  readonly observers?: number
  /**
   * Default 200 ms. A member that hears nothing of its leader, or a leader of a majority, gives up
   * after ten of them.
   */
  readonly tickTimeMs?: number
  /** Lets `stallLog` reach into the members. */
  readonly debuggable?: boolean
  /** Further system properties (`-D`) of every member. */
  readonly jvmProperties?: Readonly<Record<string, string | number | boolean>>
  /** Further lines of every zoo.cfg, which win over ours. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
}

const quorumWithinMs = 30_000
const pollMs = 40

/**
 * Several real ZooKeeper servers that replicate to each other, on the loopback interface. Each is a
 * process of its own with its own watchdog.
 * @example
 * await using ensemble = await ZooKeeperEnsemble.start()
 * const zk = await connect(ensemble.connectString)
 * await ensemble.memberAt(zk.server).kill()
 * const leader = await ensemble.untilQuorum()
 */
export class ZooKeeperEnsemble implements AsyncDisposable {
  readonly members: readonly ZooKeeperServer[]

  static async start(options: ZooKeeperEnsembleOptions = {}): Promise<ZooKeeperEnsemble> {
    const { size = 3, observers = 0 } = options
    const addresses = [
      ...(await freeAddresses(size)),
      ...(await freeAddresses(observers, 'observer')),
    ]
    // None serves before a majority runs, so they start together.
    const starts = await Promise.allSettled(
      addresses.map(({ client }, i) =>
        ZooKeeperServer.start(memberOptions(addresses, client, i + 1, options)),
      ),
    )
    const started = starts.filter((start) => start.status === 'fulfilled')
    const members = started.map(({ value }) => value)
    const ensemble = new ZooKeeperEnsemble(members, addresses, options)
    try {
      for (const start of starts) if (start.status === 'rejected') throw start.reason
      await ensemble.untilWhole()
    } catch (error) {
      await ensemble[Symbol.asyncDispose]()
      throw error
    }
    return ensemble
  }

  readonly #addresses: readonly Address[]
  readonly #options: ZooKeeperEnsembleOptions

  private constructor(
    members: readonly ZooKeeperServer[],
    addresses: readonly Address[],
    options: ZooKeeperEnsembleOptions,
  ) {
    this.members = members
    this.#addresses = addresses
    this.#options = options
  }

  /**
   * Starts a server that follows the leader and is no member yet: `line` is what a reconfiguration
   * takes to make it one. Its number is the next one. Whoever asks for it disposes of it.
   */
  async startOutsider(): Promise<{ readonly server: ZooKeeperServer; readonly line: string }> {
    const addresses = [...this.#addresses, ...(await freeAddresses(1))]
    const { client } = addresses.at(-1)!
    const options = memberOptions(addresses, client, addresses.length, this.#options)
    const line = serverLines(addresses).at(-1)!.join('=')
    return { server: await ZooKeeperServer.start(options), line }
  }

  /** All members, for a client. */
  get connectString(): string {
    return this.members.map(({ connectString }) => connectString).join(',')
  }

  /** As the running servers report it, for instance `3.9.5`. */
  get version(): string {
    return this.members[0]?.version ?? ''
  }

  /** The member at `host:port`, such as the one that a client names in `zk.server`. */
  memberAt(address: string | null): ZooKeeperServer {
    const member = this.members.find(({ connectString }) => connectString === address)
    if (member === undefined) throw new Error(`no member is at ${String(address)}`)
    return member
  }

  async leader(): Promise<ZooKeeperServer> {
    const [leader] = await this.#membersThatAre('leader')
    if (leader === undefined) throw new Error('the ensemble has no leader at present')
    return leader
  }

  followers(): Promise<readonly ZooKeeperServer[]> {
    return this.#membersThatAre('follower')
  }

  observers(): Promise<readonly ZooKeeperServer[]> {
    return this.#membersThatAre('observer')
  }

  /** Waits until a leader and enough followers serve: a majority. Returns the leader. */
  async untilQuorum(): Promise<ZooKeeperServer> {
    const voters = this.#addresses.filter(({ role }) => role === 'participant').length
    return this.#untilServing(Math.floor(voters / 2) + 1, ['leader', 'follower'])
  }

  /** Waits until every member serves. Returns the leader. */
  untilWhole(): Promise<ZooKeeperServer> {
    return this.#untilServing(this.members.length, ['leader', 'follower', 'observer'])
  }

  /**
   * What the ensemble has applied, in order. Every member must run and nobody write: it waits until
   * all are equal, and then believes a majority. A single log may end in what a member wrote down
   * as a leader just before it died, and what nobody else ever heard of.
   */
  async history(): Promise<readonly LoggedTransaction[]> {
    await this.#untilEqual()
    const logs = await Promise.all(this.members.map(({ dataDir }) => readTransactionLog(dataDir)))
    return inMajority(logs)
  }

  /** Starts the members that do not run, together, and waits until they serve. */
  async startAll(): Promise<void> {
    const down = this.members.filter(({ isRunning }) => !isRunning)
    await Promise.all(down.map((member) => member.restart()))
    await this.untilWhole()
  }

  async killAll(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member[Symbol.asyncDispose]()))
  }

  #untilServing(count: number, as: readonly ServerMode[]): Promise<ZooKeeperServer> {
    return until(`a leader among ${count} members that serve`, async () => {
      const modes = await Promise.all(this.members.map((member) => member.mode()))
      const serving = modes.filter((mode) => as.includes(mode))
      const leaders = this.members.filter((_, i) => modes[i] === 'leader')
      // Two: one of them was paused, and has not noticed yet that it was replaced.
      return leaders.length === 1 && serving.length >= count ? leaders[0] : undefined
    })
  }

  async #membersThatAre(wanted: ServerMode): Promise<readonly ZooKeeperServer[]> {
    const modes = await Promise.all(this.members.map((member) => member.mode()))
    return this.members.filter((_, i) => modes[i] === wanted)
  }

  /**
   * A leader begins its epoch with a zxid of its own that followers learn with the next write only,
   * so members that are equal may say different ones: compared is what they have applied with what
   * the leader has written down.
   */
  async #untilEqual(): Promise<void> {
    const leader = await this.untilWhole()
    const last = (await readTransactionLog(leader.dataDir)).at(-1)?.zxid ?? 0n
    await until('members with equal data', async () => {
      const zxids = await Promise.all(this.members.map((member) => member.zxid()))
      return zxids.every((zxid) => zxid !== null && zxid >= last) ? true : undefined
    })
  }
}

interface Address {
  readonly client: number
  readonly quorum: number
  readonly election: number
  readonly role: Role
}

type Role = 'participant' | 'observer'

async function freeAddresses(
  size: number,
  role: Role = 'participant',
): Promise<readonly Address[]> {
  const ports = new Set<number>()
  while (ports.size < 3 * size) ports.add(await freePort())
  const all = [...ports]
  return Array.from({ length: size }, (_, i) => {
    const [client = 0, quorum = 0, election = 0] = all.slice(3 * i)
    return { client, quorum, election, role }
  })
}

function memberOptions(
  addresses: readonly Address[],
  port: number,
  myid: number,
  { tickTimeMs = 200, debuggable = false, jvmProperties, config }: ZooKeeperEnsembleOptions,
) {
  return {
    debuggable,
    port,
    myid,
    tickTimeMs,
    heapMb: 128,
    jvmProperties: {
      // A vote that met nobody is repeated after at most half a second, not after a minute.
      'zookeeper.fastleader.maxNotificationInterval': 500,
      // So many transactions a member may be behind and still be sent them one by one. With a
      // snapshot instead its log would have a hole.
      'zookeeper.commitLogCount': 50_000,
      ...jvmProperties,
    },
    config: {
      initLimit: 50,
      syncLimit: 10,
      standaloneEnabled: false,
      reconfigEnabled: true,
      ...Object.fromEntries(serverLines(addresses)),
      ...config,
    },
  }
}

/** Keys and values of `zoo.cfg`. */
function serverLines(addresses: readonly Address[]): (readonly [string, string])[] {
  return addresses.map(({ client, quorum, election, role }, i) => {
    const address = `127.0.0.1:${quorum}:${election}:${role};127.0.0.1:${client}`
    return [`server.${i + 1}`, address] as const
  })
}

function inMajority(logs: readonly (readonly LoggedTransaction[])[]): LoggedTransaction[] {
  const found = new Map<bigint, { readonly transaction: LoggedTransaction; count: number }>()
  for (const transaction of logs.flat()) {
    const entry = found.get(transaction.zxid)
    if (entry === undefined) found.set(transaction.zxid, { transaction, count: 1 })
    else entry.count++
  }
  return [...found.values()]
    .filter(({ count }) => count > logs.length / 2)
    .map(({ transaction }) => transaction)
    .sort((a, b) => (a.zxid < b.zxid ? -1 : 1))
}

/** Asks again and again: a server tells nobody when its role changes. */
async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = Date.now() + quorumWithinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadlineMs) throw new Error(`no ${what} within ${quorumWithinMs} ms`)
    await delay(pollMs)
  }
}
