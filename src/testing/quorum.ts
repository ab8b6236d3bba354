/**
 * Several servers that keep one history, as long as a majority of them is together: who runs, who sees
 * whom, and who leads. What a leader does stands in {@link Reign}.
 *
 * It knows no sockets. Elections take as long as it is told; all else happens at once, or when a test
 * lets go of what it has held back.
 *
 * Source: `QuorumPeer`.
 */
import { Changes } from './changes.ts'
import { type Timer } from './clock.ts'
import { bestOf, Election, nextEpochOf } from './election.ts'
import { Faults } from './faults.ts'
import { type KeeperOptions } from './keeper.ts'
import { type Backup, type MemberState } from './member-state.ts'
import { Notebook } from './notebook.ts'
import { type LogEntry, OperationLog } from './operation-log.ts'
import { type Scope } from './oracle.ts'
import { peersOf } from './peers.ts'
import { Reign } from './reign.ts'
import { Replica } from './replica.ts'
import { type ServerState } from './state.ts'
import { Voters } from './voters.ts'

export interface QuorumOptions extends Omit<KeeperOptions, 'serverId' | 'faults'> {
  readonly members: number
  /** Servers beyond those: they follow, and do not vote until a reconfiguration lets them. */
  readonly outsiders?: number
  /** How long it takes to find a leader, once for each election. Default: no time. */
  readonly electionMs?: () => number
  /** How long members look for one until they serve reads to clients that accept that; null for ever. */
  readonly readOnlyAfterMs: number | null
}

export class Quorum implements Scope {
  readonly replicas: readonly Replica[]
  readonly changes: Changes
  /** They strike at any member. */
  readonly faults = new Faults()
  isClosed = false
  /** What all members were asked. */
  readonly log: OperationLog
  readonly #options: QuorumOptions
  readonly #voters: Voters
  /** What was decided and is not in the log yet. It outlives its leader, if the next one has it. */
  readonly #notebook = new Notebook()
  #reign: Reign | null = null
  readonly #election: Election
  /** A leader without a vote goes when it is due. */
  #resignation: Timer | null = null

  constructor(options: QuorumOptions) {
    this.#options = options
    this.#election = new Election(options.clock, options.electionMs ?? (() => 0))
    this.changes = new Changes(options.clock)
    this.log = new OperationLog(options.logEntriesMax, () => this.changes.note())
    const ensemble = {
      changes: this.changes,
      note: (entry: LogEntry) => this.log.push(entry),
      peersOf: (replica: Replica) => peersOf(replica, () => this.#reignOver(replica)),
      readOnlyAfterMs: options.readOnlyAfterMs,
    }
    const { members, outsiders = 0 } = options
    const electorate = {
      isReconfiguring: () => this.#reign?.isReconfiguring ?? false,
      hasQuorumOf: (ids: readonly number[]) => this.#reign?.hasQuorumOf(ids) ?? false,
    }
    this.replicas = Array.from({ length: members + outsiders }, (_, i) => {
      const own = { serverId: i + 1, faults: this.faults, electorate }
      return new Replica({ ...options, ...own }, ensemble)
    })
    this.#voters = new Voters(this.replicas.slice(0, members).map(({ id }) => id))
  }

  get leader(): Replica | null {
    return this.#reign?.leader ?? null
  }

  /** The members that follow the leader. */
  get followers(): readonly Replica[] {
    return this.#together.filter((replica) => replica !== this.leader)
  }

  /** What has happened: what the leader shows, or whoever has heard of most. */
  get state(): MemberState {
    const ahead = (one: Replica, other: Replica) =>
      other.state.lastZxid > one.state.lastZxid ? other : one
    return (this.leader ?? this.replicas.reduce(ahead)).state
  }

  get states(): readonly ServerState[] {
    return this.replicas.map(({ state }) => state)
  }

  /** The last transaction that has happened, or the beginning of an epoch without any. */
  get lastZxid(): bigint {
    const { lastZxid } = this.state
    const firstZxid = this.#reign?.firstZxid ?? 0n
    return lastZxid > firstZxid ? lastZxid : firstZxid
  }

  /** What all members have from the beginning. None runs yet. */
  preset(change: (state: ServerState) => void): void {
    const [first, ...others] = this.replicas
    change(first!.state)
    for (const { state } of others) state.restore(first!.state.backup())
  }

  /** All members start, and have a leader at once. */
  begin(): void {
    for (const replica of this.replicas) replica.isRunning = true
    this.#adoptConfig()
    this.#elect()
  }

  /** A member goes away, with what it has written down. */
  stop(replica: Replica): void {
    if (!replica.isRunning) return
    replica.isRunning = false
    replica.keeper.cut()
    replica.leave()
    this.#regroup()
  }

  /** A member comes back, and is told what it has missed. */
  start(replica: Replica): void {
    if (replica.isRunning) return
    replica.isRunning = true
    if (replica.isApart) replica.look()
    this.#regroup()
  }

  /**
   * These members and the others lose sight of each other. Those without a majority notice, or go on
   * answering reads and pings, unaware, until they are told to notice.
   */
  part(replicas: readonly Replica[], areAware: boolean): void {
    const some = new Set(replicas)
    const others = this.replicas.filter((replica) => !some.has(replica))
    const apart = [[...some], others].filter((side) => !this.#voters.areMajority(side)).flat()
    for (const replica of apart) {
      replica.isApart = true
      replica.state.sessions.pause()
      if (areAware && replica.isRunning) replica.look()
    }
    this.#regroup()
  }

  /** All members see each other again. */
  heal(): void {
    for (const replica of this.replicas) {
      if (!replica.isApart) continue
      replica.isApart = false
      replica.leave()
    }
    this.#regroup()
  }

  /** So many more transactions reach a member that was held. */
  release(replica: Replica, count: number): void {
    replica.release(count)
    this.#reign?.commit()
  }

  /** Another member will lead, behind all that was decided. */
  changeLeader(): void {
    const next = this.#together.find((one) => one !== this.leader && this.#voters.includes(one))
    if (next === undefined) throw new Error('nobody else can lead')
    for (const replica of this.#together) replica.release(Infinity)
    this.#reign?.commit()
    this.#look(next)
  }

  wipe(): void {
    this.#restart((replica) => replica.wipe())
    this.log.clear()
  }

  backup(): Backup {
    return this.state.backup()
  }

  restore(backup: Backup): void {
    this.#restart((replica) => replica.restore(backup))
  }

  cut(): void {
    for (const { keeper } of this.replicas) keeper.cut()
  }

  cutSession(id: bigint): void {
    for (const { keeper } of this.replicas) keeper.cutSession(id)
  }

  /** Ends it for good. */
  close(): void {
    this.isClosed = true
    this.faults.clear()
    for (const replica of this.replicas) {
      replica.keeper.faults.clear()
      replica.isRunning = false
      replica.leave()
    }
    this.#reign = null
    this.#election.cancel()
    this.#resignation?.cancel()
    this.changes.close()
  }

  /** All members stop, something is done to their disks, and they start again. */
  #restart(change: (replica: Replica) => void): void {
    this.#reign = null
    for (const replica of this.replicas) {
      replica.leave()
      change(replica)
      this.#voters.remind(replica.state.tree)
    }
    this.#regroup()
  }

  /** Finds out who is together now, and whether they have a leader. */
  #regroup(): void {
    this.#adoptConfig()
    const able = this.#able
    const reign = this.#reign
    if (reign === null || !able.includes(reign.leader) || !this.#voters.areMajority(able)) {
      return this.#look()
    }
    reign.keepOnly(able)
    for (const replica of able) if (!reign.together.includes(replica)) reign.join(replica)
    reign.commit()
  }

  get #able(): readonly Replica[] {
    return this.replicas.filter(({ isRunning, isApart }) => isRunning && !isApart)
  }

  /** The leader and the members that follow it. */
  get #together(): readonly Replica[] {
    return this.#reign?.together ?? []
  }

  /** Null for a member that cannot reach the leader. */
  #reignOver(replica: Replica): Reign | null {
    return this.#together.includes(replica) ? this.#reign : null
  }

  /** Who is no voter any more goes on as a follower, but for a leader, whom another follows in a tick. */
  #adoptConfig(): void {
    if (!this.#voters.adopt(this.state.tree)) return
    this.#reign?.commit() // others count now
    const { leader } = this
    if (leader === null || this.#voters.includes(leader)) return
    const { clock, tickTimeMs } = this.#options
    this.#resignation?.cancel()
    this.#resignation = clock.timer(clock.nowMs() + tickTimeMs, () => {
      if (this.leader === leader && !this.#voters.includes(leader)) this.#look()
    })
  }

  /** Nobody leads. All look for a leader, and if there are enough of them they find one: after a while. */
  #look(chosen?: Replica): void {
    this.#reign = null
    const able = this.#able
    for (const replica of able) replica.look()
    if (this.#voters.areMajority(able)) this.#election.begin(() => this.#elect(chosen))
    else this.#election.cancel()
    this.changes.note()
  }

  #elect(chosen?: Replica): void {
    const able = this.#able
    const candidates = able.filter((replica) => this.#voters.includes(replica))
    const isChosenThere = chosen !== undefined && candidates.includes(chosen)
    const leader = isChosenThere ? chosen : bestOf(candidates)
    for (const replica of able) replica.leave()
    this.#reign = this.#reignOf(leader, nextEpochOf(able))
    for (const replica of able) if (replica !== leader) this.#reign.join(replica)
    leader.keeper.resume()
    this.#reign.commit()
  }

  #reignOf(leader: Replica, epoch: bigint): Reign {
    return new Reign(leader, epoch, {
      clock: this.#options.clock,
      voters: this.#voters,
      notebook: this.#notebook,
      onCommitted: () => {
        this.#adoptConfig()
        leader.keeper.armSweep()
        this.changes.note()
      },
    })
  }
}
