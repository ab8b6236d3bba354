/** One member of an ensemble, without a port: a server, and what its leader has told it. */
import { type Changes } from './changes.ts'
import { type Timer } from './clock.ts'
import { epochOf } from './head.ts'
import { Keeper, type KeeperOptions } from './keeper.ts'
import { type Backup, MemberState, type Peers } from './member-state.ts'
import { type LogEntry } from './operation-log.ts'
import { type Transaction } from './transaction.ts'

/** What all members have in common. */
export interface Ensemble {
  readonly changes: Changes
  /** What a member was asked. */
  readonly note: (entry: LogEntry) => void
  readonly peersOf: (replica: Replica) => Peers
  /** How long a member looks for a leader until it serves reads; null for ever. */
  readonly readOnlyAfterMs: number | null
}

export class Replica {
  readonly id: number
  readonly keeper: Keeper
  readonly state: MemberState
  isRunning = false
  /** Cut off from the members with the majority. */
  isApart = false
  /** Of the last leader that it has followed. */
  epoch = 0n
  /** From the leader, and not here yet. */
  #underWay: Transaction[] = []
  /** Written down, and not known to be written down by a majority. */
  #pending: Transaction[] = []
  /** How many transactions still arrive. */
  #passing = Infinity
  readonly #readOnlyAfterMs: number | null
  #isLooking = false
  /** Until it serves reads. */
  #grace: Timer | null = null

  constructor(options: KeeperOptions, { changes, note, peersOf, readOnlyAfterMs }: Ensemble) {
    this.id = options.serverId
    this.#readOnlyAfterMs = readOnlyAfterMs
    this.state = new MemberState(options, { changes, note, peers: peersOf(this) })
    this.keeper = new Keeper(options, this.state)
    this.leave()
  }

  /** Whether it knows the session, which may have ended by now. */
  hasHeardOf(sessionId: bigint): boolean {
    return this.state.sessions.get(sessionId) !== undefined
  }

  /** The last transaction that it would not lose in a crash. */
  get loggedZxid(): bigint {
    return this.#pending.at(-1)?.stamp.zxid ?? this.state.lastZxid
  }

  isAheadOf({ epoch, loggedZxid }: Replica): boolean {
    return this.epoch === epoch ? this.loggedZxid > loggedZxid : this.epoch > epoch
  }

  get isHeld(): boolean {
    return this.#passing !== Infinity
  }

  /** Nothing arrives from the leader any more. */
  hold(): void {
    if (!this.isHeld) this.#passing = 0
  }

  /** So many more transactions arrive. */
  release(count: number): void {
    this.#passing += count
    this.#admit()
  }

  receive(transaction: Transaction): void {
    this.#underWay.push(transaction)
    this.#admit()
  }

  /** A majority has written down whatever is not newer than `zxid`. */
  commit(zxid: bigint): void {
    while (this.#pending.length > 0 && this.#pending[0]!.stamp.zxid <= zxid) {
      this.state.apply(this.#pending.shift()!)
    }
  }

  /** It leads: what it has written down, happened. */
  lead(epoch: bigint): void {
    this.epoch = epoch
    this.#underWay = []
    this.#passing = Infinity
    this.commit(this.loggedZxid)
  }

  /** It follows: whatever the leader does not know, never happened. */
  follow(leader: Replica): void {
    const { epoch, state } = leader
    this.epoch = epoch
    if (this.state.lastZxid !== state.lastZxid) this.#catchUp(state.backup())
    this.#forgetPending()
    for (const transaction of leader.#pending) this.receive(transaction)
  }

  /** It has what it had then. */
  restore(backup: Backup): void {
    this.epoch = epochOf(backup.lastZxid)
    this.#catchUp(backup)
  }

  #catchUp(backup: Backup): void {
    this.#forgetPending()
    this.state.restore(backup)
  }

  wipe(): void {
    this.epoch = 0n
    this.#forgetPending()
    this.state.wipe()
  }

  /** It has a leader, or leads. */
  serve(): void {
    this.state.isServing = true
  }

  /** It has no leader: whoever comes is sent away or, if it may serve reads, only for a while. */
  look(): void {
    if (this.#isLooking) return
    this.leave()
    this.#isLooking = true
    const ms = this.#readOnlyAfterMs
    if (ms === null) return
    if (ms === 0) return this.#serveReads()
    const { clock } = this.state.options
    this.#grace = clock.timer(clock.nowMs() + ms, () => this.#serveReads())
  }

  #serveReads(): void {
    this.state.setReadOnly(true)
    this.serve()
    this.state.changes.note()
  }

  /** Ends all connections, that to its leader, too. Nobody who waits for an answer gets one. */
  leave(): void {
    this.#underWay = []
    this.#isLooking = false
    this.#grace?.cancel()
    this.state.isServing = false
    this.keeper.closeAll()
    this.keeper.pause()
    this.state.answers.clear()
    this.state.setReadOnly(false)
  }

  #forgetPending(): void {
    this.#underWay = []
    this.#pending = []
  }

  #admit(): void {
    while (this.#passing > 0 && this.#underWay.length > 0) {
      this.#pending.push(this.#underWay.shift()!)
      this.#passing--
    }
  }
}
