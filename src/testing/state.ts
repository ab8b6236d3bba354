/**
 * What one server knows, and the one way to change it: a transaction.
 *
 * Source: `ZooKeeperServer`, `PrepRequestProcessor`.
 */
import { Changes } from './changes.ts'
import { type Clock } from './clock.ts'
import { type Link } from './link.ts'
import { OperationLog } from './operation-log.ts'
import { type Profile } from './profile.ts'
import { type SaslOptions } from './sasl.ts'
import { type Session, Sessions } from './sessions.ts'
import { type Stamp, Tree } from './tree.ts'
import { Watches } from './watches.ts'

export interface StateOptions {
  readonly clock: Clock
  readonly profile: Profile
  readonly serverId: number
  readonly tickTimeMs: number
  readonly sessionTimeoutMsMin: number
  readonly sessionTimeoutMsMax: number
  readonly logEntriesMax: number
  /** Whether TTL znodes can be created. */
  readonly hasExtendedTypes: boolean
  /** `user:hash` of the client that may do everything; null for nobody. */
  readonly superDigest: string | null
  /** The schemes that ACLs may speak of. */
  readonly schemes: ReadonlySet<string>
  /** Who may authenticate by SASL, and whether everybody must. */
  readonly sasl?: SaslOptions | undefined
}

export class ServerState {
  readonly options: StateOptions
  readonly tree = new Tree()
  readonly watches: Watches
  readonly sessions: Sessions
  readonly log: OperationLog
  readonly changes: Changes
  /** The connection that holds a session, while there is one. */
  readonly linkOf = new Map<bigint, Link>()
  /** Without a quorum: it serves reads to those who accept that, in sessions of its own. */
  isReadOnly = false
  /** Sessions that exist here only, because no quorum was there to agree to them. */
  readonly localSessions = new Set<bigint>()
  /** The last change that was made, or was tried: a failed write spends a zxid, too. */
  lastZxid = 0n

  constructor(options: StateOptions, changes = new Changes(options.clock)) {
    this.options = options
    this.changes = changes
    this.watches = new Watches(options.profile.hasModes)
    this.log = new OperationLog(options.logEntriesMax, () => this.changes.note())
    this.sessions = new Sessions({
      clock: options.clock,
      serverId: options.serverId,
      tickTimeMs: options.tickTimeMs,
      timeoutMsMin: options.sessionTimeoutMsMin,
      timeoutMsMax: options.sessionTimeoutMsMax,
      onExpired: (session) => this.expire(session),
    })
  }

  /**
   * Runs `body` under the next zxid. If it throws, nothing has happened but that the zxid is spent.
   * Otherwise watches are told, before anybody can be told the result.
   */
  transact<T>(body: (stamp: Stamp) => T): T {
    this.lastZxid++
    let result: T
    try {
      result = body({ zxid: this.lastZxid, timeMs: this.options.clock.wallMs() })
    } catch (error) {
      this.tree.rollback()
      throw error
    }
    for (const change of this.tree.commit()) this.watches.fire(change)
    return result
  }

  /** Another leader begins to count anew behind a higher epoch. */
  nextEpoch(): void {
    this.lastZxid = ((this.lastZxid >> 32n) + 1n) << 32n
  }

  createSession(timeoutMsWanted: number): Session {
    const session = this.transact(() => this.sessions.create(timeoutMsWanted))
    this.#logOwn(session.id, 'createSession', null)
    return session
  }

  /** It takes no transaction, which would need a quorum. */
  createLocalSession(timeoutMsWanted: number): Session {
    const session = this.sessions.create(timeoutMsWanted)
    this.localSessions.add(session.id)
    return session
  }

  /** Forgets the sessions that no quorum knows. */
  endLocalSessions(): void {
    for (const id of this.localSessions) this.sessions.remove(this.sessions.get(id)!)
    this.localSessions.clear()
  }

  /** Ends a session: its ephemeral znodes go in one transaction. Its connection is left alone. */
  endSession(session: Session): void {
    this.sessions.remove(session)
    if (this.localSessions.delete(session.id)) return
    this.transact((stamp) => {
      for (const path of this.tree.ephemeralsOf(session.id)) this.tree.delete(path, stamp)
    })
  }

  /** Ends a session whose client did not ask for it. */
  expire(session: Session): void {
    this.endSession(session)
    this.#logOwn(session.id, 'closeSession', null)
    this.linkOf.get(session.id)?.close()
  }

  /** Removes what a server removes by itself: abandoned containers and outdated TTL znodes. */
  sweep(): void {
    for (const path of this.tree.expiredPaths(this.options.clock.wallMs())) {
      this.transact((stamp) => this.tree.delete(path, stamp))
      this.#logOwn(0n, 'deleteContainer', path)
    }
  }

  #logOwn(sessionId: bigint, operation: string, path: string | null): void {
    this.log.push({ sessionId, xid: 0, zxid: this.lastZxid, operation, path, err: 0 })
  }
}
