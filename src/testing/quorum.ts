/**
 * Several servers that keep one history, as long as a majority of them is together: one leads and
 * decides, all write down what it has decided, and what a majority has written down has happened.
 *
 * It knows no sockets and does everything at once: what takes its time is what a test holds back.
 *
 * Source: `Leader`, `Learner`, `LearnerHandler`, `FastLeaderElection`, `LeaderSessionTracker`.
 */
import { configPath } from '../protocol/ensemble-config.ts'
import { parseEnsembleConfig } from '../protocol/index.ts'
import { Changes } from './changes.ts'
import { Faults } from './faults.ts'
import { Head } from './head.ts'
import { type KeeperOptions } from './keeper.ts'
import { type Link } from './link.ts'
import { type Backup, type MemberState, type Peers } from './member-state.ts'
import { type LogEntry, OperationLog } from './operation-log.ts'
import { type Scope } from './oracle.ts'
import { refuse } from './refusal.ts'
import { Replica } from './replica.ts'
import { type ServerState } from './state.ts'
import { type Write } from './write.ts'

export interface QuorumOptions extends Omit<KeeperOptions, 'serverId' | 'faults'> {
  readonly members: number
  /** Servers beyond those: they follow, and do not vote until a reconfiguration lets them. */
  readonly outsiders?: number
  /** Whether members without a majority serve reads to clients that accept that. */
  readonly hasReadOnlyMode: boolean
}

/** A transaction that no member can hear of: what waits for it waits until the connection ends. */
const never = 1n << 62n

/** What was decided and is not in the log of operations yet. */
interface Note {
  readonly zxid: bigint
  readonly write: () => void
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
  /** The members that follow the leader, and the leader. */
  #together: readonly Replica[] = []
  #leader: Replica | null = null
  #head: Head | null = null
  /** Who votes, by server id: some may not even be here. */
  #voters: ReadonlySet<number>
  /** What {@link #voters} was read from. */
  #config: Buffer | null = null
  /** Where the client of a session is, as far as the leader knows. */
  readonly #owners = new Map<bigint, Replica>()
  #notes: Note[] = []

  constructor(options: QuorumOptions) {
    this.#options = options
    this.changes = new Changes(options.clock)
    this.log = new OperationLog(options.logEntriesMax, () => this.changes.note())
    const ensemble = {
      changes: this.changes,
      note: (entry: LogEntry) => this.log.push(entry),
      peersOf: (replica: Replica) => this.#peersOf(replica),
    }
    const { members, outsiders = 0 } = options
    const electorate = { hasQuorumOf: (ids: readonly number[]) => this.#hasQuorumOf(ids) }
    this.replicas = Array.from({ length: members + outsiders }, (_, i) => {
      const own = { serverId: i + 1, faults: this.faults, electorate }
      return new Replica({ ...options, ...own }, ensemble)
    })
    this.#voters = new Set(this.replicas.slice(0, members).map(({ id }) => id))
  }

  get leader(): Replica | null {
    return this.#leader
  }

  /** The members that follow the leader. */
  get followers(): readonly Replica[] {
    return this.#together.filter((replica) => replica !== this.#leader)
  }

  /** What has happened: what the leader shows, or whoever has heard of most. */
  get state(): MemberState {
    const ahead = (one: Replica, other: Replica) =>
      other.state.lastZxid > one.state.lastZxid ? other : one
    return (this.#leader ?? this.replicas.reduce(ahead)).state
  }

  get states(): readonly ServerState[] {
    return this.replicas.map(({ state }) => state)
  }

  /** The last transaction that has happened, or the beginning of an epoch without any. */
  get lastZxid(): bigint {
    const { lastZxid } = this.state
    const firstZxid = this.#head?.firstZxid ?? 0n
    return lastZxid > firstZxid ? lastZxid : firstZxid
  }

  /** What all members have from the beginning. None runs yet. */
  preset(change: (state: ServerState) => void): void {
    const [first, ...others] = this.replicas
    change(first!.state)
    for (const { state } of others) state.restore(first!.state.backup())
  }

  /** A member goes away, with what it has written down. */
  stop(replica: Replica): void {
    if (!replica.isRunning) return
    replica.isRunning = false
    replica.leave()
    this.#regroup()
  }

  /** A member comes back, and is told what it has missed. */
  start(replica: Replica): void {
    if (replica.isRunning) return
    replica.isRunning = true
    this.#regroup()
  }

  /**
   * These members and the others lose sight of each other. Those without a majority notice, or go on
   * answering reads and pings, unaware, until they are told to notice.
   */
  part(replicas: readonly Replica[], areAware: boolean): void {
    const some = new Set(replicas)
    const others = this.replicas.filter((replica) => !some.has(replica))
    const apart = [[...some], others].filter((side) => !this.#hasMajority(side)).flat()
    for (const replica of apart) {
      replica.isApart = true
      replica.state.sessions.pause()
      if (areAware) this.#standAlone(replica)
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
    this.#commit()
  }

  /** Another member leads, behind all that was decided. */
  changeLeader(): void {
    const next = this.#together.find((one) => one !== this.#leader && this.#isVoter(one))
    if (next === undefined) throw new Error('nobody else can lead')
    for (const replica of this.#together) replica.release(Infinity)
    this.#commit()
    this.#elect(this.#together, next)
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
    this.#disband()
    this.changes.close()
  }

  /** All members stop, something is done to their disks, and they start again. */
  #restart(change: (replica: Replica) => void): void {
    this.#disband()
    for (const replica of this.replicas) {
      replica.leave()
      change(replica)
      const { tree } = replica.state
      // It also stands in the configuration files of the servers.
      if (this.#config !== null && tree.get(configPath)!.data?.length === 0) {
        tree.presetConfig(this.#config.toString())
      }
    }
    this.#regroup()
  }

  /** Finds out who is together now, and whether they have a leader. */
  #regroup(): void {
    this.#adoptConfig()
    const able = this.#able
    if (!this.#hasMajority(able)) {
      this.#disband()
      for (const replica of able) this.#standAlone(replica)
    } else if (this.#leader === null || !able.includes(this.#leader)) {
      this.#elect(able)
    } else {
      this.#together = this.#together.filter((replica) => able.includes(replica))
      for (const replica of able) if (!this.#together.includes(replica)) this.#join(replica)
      this.#commit()
    }
    this.changes.note()
  }

  get #able(): readonly Replica[] {
    return this.replicas.filter(({ isRunning, isApart }) => isRunning && !isApart)
  }

  #isVoter({ id }: Replica): boolean {
    return this.#voters.has(id)
  }

  #hasMajority(replicas: readonly Replica[]): boolean {
    return 2 * replicas.filter((one) => this.#isVoter(one)).length > this.#voters.size
  }

  #hasQuorumOf(ids: readonly number[]): boolean {
    const ready = this.#together.filter(({ id, isHeld }) => ids.includes(id) && !isHeld)
    return 2 * ready.length > ids.length
  }

  /** Who is no voter any more goes on as a follower, but for a leader, whom another follows in a tick. */
  #adoptConfig(): void {
    const { data } = this.state.tree.get(configPath)!
    if (data === null || data.length === 0 || data === this.#config) return
    this.#config = data
    const { members } = parseEnsembleConfig(data.toString())
    const voters = members.filter(({ role }) => role === 'participant')
    this.#voters = new Set(voters.map(({ id }) => id))
    const leader = this.#leader
    if (leader === null || this.#isVoter(leader)) return
    const { clock, tickTimeMs } = this.#options
    clock.timer(clock.nowMs() + tickTimeMs, () => {
      if (this.#leader === leader && !this.#isVoter(leader)) this.#elect(this.#able)
    })
  }

  #disband(): void {
    this.#leader = null
    this.#head = null
    this.#together = []
  }

  /** Who has followed the latest leader, and of those has written down most, leads. */
  #elect(able: readonly Replica[], chosen?: Replica): void {
    const candidates = able.filter((replica) => this.#isVoter(replica))
    const leader = chosen ?? candidates.reduce((one, other) => (other.isAheadOf(one) ? other : one))
    for (const replica of able) replica.leave()
    const epoch =
      1n + able.reduce((max, replica) => (replica.epoch > max ? replica.epoch : max), 0n)
    leader.lead(epoch)
    this.#writeNotes(leader.state.lastZxid)
    this.#notes = []
    this.#owners.clear()
    this.#head = new Head(leader.state, epoch)
    this.#leader = leader
    this.#together = [leader]
    leader.isServing = true
    for (const replica of able) if (replica !== leader) this.#join(replica)
    leader.keeper.resume()
    this.changes.note()
  }

  #join(replica: Replica): void {
    replica.leave()
    replica.follow(this.#leader!)
    replica.isServing = true
    this.#together = [...this.#together, replica]
  }

  #standAlone(replica: Replica): void {
    const isReadOnly = replica.isRunning && this.#options.hasReadOnlyMode
    if (!replica.isServing && replica.state.isReadOnly === isReadOnly) return
    replica.leave()
    replica.state.setReadOnly(isReadOnly)
  }

  #peersOf(replica: Replica): Peers {
    return {
      role: () => (replica === this.#leader ? 'leader' : 'follower'),
      decide: (write) => this.#decide(replica, write),
      catchUp: (link, answer) => this.#catchUp(replica, link, answer),
      touch: (id) => this.#touch(replica, id),
      hasSession: (id) => this.#headFor(replica)?.hasSession(id) ?? replica.hasHeardOf(id),
      resumeSession: (id, timeoutMsWanted, link, answer) => {
        this.#resumeSession(replica, id, timeoutMsWanted, link, answer)
      },
    }
  }

  /** Null for a member that cannot reach the leader. */
  #headFor(replica: Replica): Head | null {
    return this.#together.includes(replica) ? this.#head : null
  }

  #decide<T>(origin: Replica, write: Write<T>): void {
    const { link } = write
    const { answers, log } = origin.state
    const head = this.#headFor(origin)
    if (head === null || isOver(link, head)) return answers.add(link, never, nothing)
    const hasMoved = write.isAnybodys !== true && this.#hasMoved(origin, link)
    const { outcome, transaction } = head.decide(
      hasMoved ? { ...write, change: () => refuse('SESSION_MOVED') } : write,
      this.#options.clock.wallMs(),
    )
    const { zxid } = transaction.stamp
    answers.add(link, zxid, () => write.answer(outcome))
    this.#notes.push({ zxid, write: () => log.push(write.entry(outcome, zxid)) })
    for (const replica of this.#together) replica.receive(transaction)
    this.#commit()
  }

  /** What a majority has written down, has happened. */
  #commit(): void {
    const voters = this.#together.filter((replica) => this.#isVoter(replica))
    const logged = voters.map(({ loggedZxid }) => loggedZxid)
    const zxid = logged.sort(descending)[Math.floor(this.#voters.size / 2)]
    if (zxid === undefined) return
    this.#writeNotes(zxid)
    for (const replica of this.#together) replica.commit(zxid)
    this.#adoptConfig()
    this.#leader?.keeper.armSweep()
    this.changes.note()
  }

  #writeNotes(zxid: bigint): void {
    while (this.#notes.length > 0 && this.#notes[0]!.zxid <= zxid) this.#notes.shift()!.write()
  }

  #catchUp(origin: Replica, link: Link, answer: () => void): void {
    const { answers, lastZxid } = origin.state
    const head = this.#headFor(origin)
    const run = this.#hasMoved(origin, link) ? () => link.close() : answer
    if (head !== null && head.lastZxid <= lastZxid && !answers.has(link)) run()
    else answers.add(link, head?.lastZxid ?? never, run)
  }

  #touch(origin: Replica, id: bigint): void {
    if (this.#headFor(origin)?.hasSession(id) !== true) return
    const { sessions } = this.#leader!.state
    const session = sessions.get(id)
    if (session !== undefined) sessions.touch(session)
  }

  #resumeSession(
    origin: Replica,
    id: bigint,
    timeoutMsWanted: number,
    link: Link,
    answer: (timeoutMs: number | null) => void,
  ): void {
    const head = this.#headFor(origin)
    if (head === null) return origin.state.answers.add(link, never, nothing)
    const { sessions } = this.#leader!.state
    const session = head.hasSession(id) ? sessions.get(id) : undefined
    if (session === undefined) return answer(null)
    this.#owners.set(id, origin)
    sessions.renew(session, timeoutMsWanted)
    answer(session.timeoutMs)
  }

  /** Whoever asks first for a session has it, until it is resumed elsewhere. */
  #hasMoved(origin: Replica, link: Link | null): boolean {
    if (link === null || link.session === null) return false
    const owner = this.#owners.get(link.sessionId)
    if (owner === undefined) this.#owners.set(link.sessionId, origin)
    return owner !== undefined && owner !== origin
  }
}

/** The connection of a session that has ended is closed when its member hears of that. */
function isOver(link: Link | null, head: Head): boolean {
  return link !== null && link.session !== null && !head.hasSession(link.sessionId)
}

function descending(one: bigint, other: bigint): number {
  if (one === other) return 0
  return one < other ? 1 : -1
}

function nothing(): void {
  // whoever asked waits until the connection ends
}
