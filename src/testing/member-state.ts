/**
 * What one member of an ensemble knows: a copy of what its leader has decided, as far as it has heard.
 *
 * Source: `FollowerZooKeeperServer`, `LearnerSessionTracker`.
 */
import { type Changes } from './changes.ts'
import { ExpiryQueue } from './expiry-queue.ts'
import { type Link } from './link.ts'
import { type LogEntry } from './operation-log.ts'
import { Session } from './sessions.ts'
import { ServerState, type StateOptions } from './state.ts'
import { mutate, type Transaction } from './transaction.ts'
import { Tree } from './tree.ts'
import { type Write } from './write.ts'

/** The ensemble, as far as the member can reach it. */
export interface Peers {
  /** How the member names its part. */
  role(): string
  /** How many follow the member. */
  followers(): number
  decide<T>(write: Write<T>): void
  catchUp(link: Link, answer: () => void): void
  touch(id: bigint): void
  hasSession(id: bigint): boolean
  /** Calls `answer` with the timeout that is granted, or null if the session is gone; or never. */
  resumeSession(
    id: bigint,
    timeoutMsWanted: number,
    link: Link,
    answer: (timeoutMs: number | null) => void,
  ): void
}

/** What can be put back later. Nobody changes it. */
export interface Backup {
  /** The last transaction that is in it. */
  readonly lastZxid: bigint
  /** @internal */
  readonly tree: Tree
  /** @internal Timeouts by session. */
  readonly sessions: ReadonlyMap<bigint, number>
}

export interface Surroundings {
  readonly changes: Changes
  /** Is told of what comes into the log. */
  readonly note: (entry: LogEntry) => void
  readonly peers: Peers
}

export class MemberState extends ServerState {
  readonly #peers: Peers
  /** Connections by when they were last heard of. */
  readonly #idle: ExpiryQueue<Link>

  constructor(options: StateOptions, { changes, note, peers }: Surroundings) {
    super(options, changes, note)
    this.#peers = peers
    this.#idle = new ExpiryQueue({ ...options, onExpired: (link) => link.close() })
  }

  override get role(): string {
    return this.isReadOnly ? 'read-only' : this.#peers.role()
  }

  override get followers(): number {
    return this.#peers.followers()
  }

  override decide<T>(write: Write<T>): void {
    this.#peers.decide(write)
  }

  override catchUp(link: Link, answer: () => void): void {
    this.#peers.catchUp(link, answer)
  }

  /** The leader keeps the session, and the member the connection, which its client may have left. */
  override touch({ id, timeoutMs }: Session, link: Link): void {
    this.#peers.touch(id)
    this.#idle.touch(link, timeoutMs)
  }

  override forget(link: Link): void {
    super.forget(link)
    this.#idle.remove(link)
  }

  override hasSession(id: bigint): boolean {
    return this.isReadOnly ? super.hasSession(id) : this.#peers.hasSession(id)
  }

  override resumeSession(
    id: bigint,
    timeoutMsWanted: number,
    link: Link,
    answer: (session: Session | null) => void,
  ): void {
    if (this.isReadOnly) return super.resumeSession(id, timeoutMsWanted, link, answer)
    this.#peers.resumeSession(id, timeoutMsWanted, link, (timeoutMs) => {
      if (timeoutMs === null) return answer(null)
      const session = this.sessions.get(id) ?? new Session(id, timeoutMs) // not heard of it yet
      session.timeoutMs = timeoutMs
      answer(session)
    })
  }

  /** Does what was decided. Watches are told, then whoever waits for it, then sessions that end. */
  apply({ stamp, mutations }: Transaction): void {
    this.lastZxid = stamp.zxid
    for (const mutation of mutations) mutate(this, mutation, stamp)
    this.fireWatches()
    this.answers.release(stamp.zxid)
    for (const mutation of mutations) {
      if (mutation.do === 'endSession') this.linkOf.get(mutation.id)?.close()
    }
  }

  backup(): Backup {
    const tree = new Tree()
    tree.become(this.tree)
    const sessions = new Map([...this.sessions].map(({ id, timeoutMs }) => [id, timeoutMs]))
    return { lastZxid: this.lastZxid, tree, sessions }
  }

  restore(backup: Backup): void {
    const { lastZxid, tree, sessions } = backup // not above: a declaration would name what is internal
    this.tree.become(tree)
    this.sessions.clear()
    for (const [id, timeoutMs] of sessions) this.openSession(id, timeoutMs)
    this.lastZxid = lastZxid
  }
}
