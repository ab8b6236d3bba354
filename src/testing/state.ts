/**
 * What one server knows, and the one way to change it: a write.
 *
 * Source: `ZooKeeperServer`, `PrepRequestProcessor`.
 */
import { AnswerQueue } from './answer-queue.ts'
import { Changes } from './changes.ts'
import { type Clock } from './clock.ts'
import { type Link, type Packets } from './link.ts'
import { type LogEntry, OperationLog } from './operation-log.ts'
import { refuse } from './refusal.ts'
import { type SaslOptions } from './sasl.ts'
import { Session, Sessions } from './sessions.ts'
import { type Stamp, Tree } from './tree.ts'
import { Watches } from './watches.ts'
import { attemptWrite, type Ledger, type Write } from './write.ts'
import { type WriteOptions } from './writes.ts'

export interface StateOptions extends WriteOptions {
  readonly clock: Clock
  readonly serverId: number
  readonly tickTimeMs: number
  readonly sessionTimeoutMsMin: number
  readonly sessionTimeoutMsMax: number
  readonly logEntriesMax: number
  /** `user:hash` of the client that may do everything; null for nobody. */
  readonly superDigest: string | null
  /** Who may authenticate by SASL, and whether everybody must. */
  readonly sasl?: SaslOptions | undefined
}

export class ServerState implements Ledger {
  readonly options: StateOptions
  readonly tree = new Tree()
  readonly watches: Watches
  readonly sessions: Sessions
  readonly log: OperationLog
  readonly changes: Changes
  /** What connections still wait for. */
  readonly answers = new AnswerQueue()
  /** The connection that holds a session, while there is one. */
  readonly linkOf = new Map<bigint, Link>()
  /** Otherwise it looks for a leader: it answers words of four letters, and closes all other connections. */
  isServing = true
  /** Since the server began, or was told to count anew. */
  readonly packets: Packets = { received: 0, sent: 0 }
  /** On its clock. */
  readonly startedMs: number
  /** Without a quorum: it serves reads to those who accept that, in sessions of its own. */
  isReadOnly = false
  /** Sessions that exist here only, because no quorum was there to agree to them. */
  readonly localSessions = new Set<bigint>()
  /** The last change that was made, or was tried: a failed write spends a zxid, too. */
  lastZxid = 0n

  constructor(
    options: StateOptions,
    changes = new Changes(options.clock),
    onLogged: (entry: LogEntry) => void = () => changes.note(),
  ) {
    this.options = options
    this.startedMs = options.clock.nowMs()
    this.changes = changes
    this.watches = new Watches(options.profile.hasModes)
    this.log = new OperationLog(options.logEntriesMax, onLogged)
    this.sessions = new Sessions({
      clock: options.clock,
      serverId: options.serverId,
      tickTimeMs: options.tickTimeMs,
      timeoutMsMin: options.sessionTimeoutMsMin,
      timeoutMsMax: options.sessionTimeoutMsMax,
      onExpired: ({ id }) => this.expire(id),
    })
  }

  /** How the server names its part. */
  get role(): string {
    return this.isReadOnly ? 'read-only' : 'standalone'
  }

  /** How many servers follow this one. */
  get followers(): number {
    return 0
  }

  /**
   * Makes a change under the next zxid, which is spent even if the change fails. Watches are told
   * before anybody can be told the result.
   */
  decide<T>(write: Write<T>): void {
    const zxid = ++this.lastZxid
    const outcome = attemptWrite(write, this, { zxid, timeMs: this.options.clock.wallMs() })
    this.fireWatches()
    write.answer(outcome)
    this.log.push(write.entry(outcome, zxid))
  }

  /** Tells of what has been done to the tree, which cannot be taken back any more. */
  fireWatches(): void {
    for (const change of this.tree.commit()) this.watches.fire(change)
  }

  /** Calls `answer` when the server knows everything that was decided anywhere before this call. */
  catchUp(_link: Link, answer: () => void): void {
    answer()
  }

  /** A client was heard of. */
  touch(session: Session, _link: Link): void {
    this.sessions.touch(session)
  }

  /** A connection has ended. */
  forget(link: Link): void {
    this.watches.forget(link)
    if (this.linkOf.get(link.sessionId) === link) this.linkOf.delete(link.sessionId)
    this.changes.note()
  }

  /** Whether the session has not ended, as far as anybody knows. */
  hasSession(id: bigint): boolean {
    return this.sessions.get(id) !== undefined
  }

  /** Gives a session another connection: null if it is gone. A server may also never know. */
  resumeSession(
    id: bigint,
    timeoutMsWanted: number,
    _link: Link,
    answer: (session: Session | null) => void,
  ): void {
    const session = this.sessions.get(id)
    if (session !== undefined) this.sessions.renew(session, timeoutMsWanted)
    answer(session ?? null)
  }

  createSession(timeoutMsWanted: number, link: Link, answer: (session: Session) => void): void {
    const { id, timeoutMs } = this.sessions.draft(timeoutMsWanted)
    this.decide({
      link,
      change: (ledger) => ledger.openSession(id, timeoutMs),
      answer: () => answer(this.sessions.get(id)!),
      entry: (_, zxid) => ownEntry(id, zxid, 'createSession', null),
    })
  }

  /** It takes no decision, which would need a quorum. */
  createLocalSession(timeoutMsWanted: number): Session {
    const session = this.sessions.draft(timeoutMsWanted)
    this.sessions.add(session)
    this.localSessions.add(session.id)
    return session
  }

  /** Forgets the sessions that no quorum knows. */
  endLocalSessions(): void {
    for (const id of this.localSessions) this.sessions.remove(id)
    this.localSessions.clear()
  }

  openSession(id: bigint, timeoutMs: number): void {
    this.sessions.add(new Session(id, timeoutMs))
  }

  endSession(id: bigint): void {
    this.sessions.remove(id)
  }

  /** Ends a session whose client did not ask for it, and closes its connection. */
  expire(id: bigint): void {
    if (!this.hasSession(id)) return
    this.decide({
      link: null,
      change: (ledger, stamp) => endSession(ledger, id, stamp),
      answer: () => this.linkOf.get(id)?.close(),
      entry: (_, zxid) => ownEntry(id, zxid, 'closeSession', null),
    })
  }

  /** Serves with a quorum, or without: reads, in sessions that only this server knows. */
  setReadOnly(isReadOnly: boolean): void {
    this.isReadOnly = isReadOnly
    this.endLocalSessions()
  }

  /** Forgets everything. */
  wipe(): void {
    this.setReadOnly(false)
    this.tree.become(new Tree())
    this.sessions.clear()
    this.log.clear()
    this.lastZxid = 0n
  }

  /** Removes what a server removes by itself: abandoned containers and outdated TTL znodes. */
  sweep(): void {
    for (const path of this.tree.expiredPaths(this.options.clock.wallMs())) {
      this.decide({
        link: null,
        change: ({ tree }, stamp) => {
          if ((tree.get(path) ?? refuse('NO_NODE')).children.size > 0) refuse('NOT_EMPTY')
          tree.delete(path, stamp)
        },
        answer: () => undefined,
        entry: ({ err }, zxid) => ({ ...ownEntry(0n, zxid, 'deleteContainer', path), err }),
      })
    }
  }
}

/** Its ephemeral znodes go in one transaction. */
export function endSession(ledger: Ledger, id: bigint, stamp: Stamp): void {
  ledger.endSession(id)
  for (const path of ledger.tree.ephemeralsOf(id)) ledger.tree.delete(path, stamp)
}

function ownEntry(sessionId: bigint, zxid: bigint, operation: string, path: string | null) {
  return { sessionId, xid: 0, zxid, operation, path, err: 0 }
}
