/** What a test can ask a server, or all servers of one history, and what it can do to their sessions. */
import { type records } from '../protocol/index.ts'
import { type UntilOptions } from './changes.ts'
import { type Faults } from './faults.ts'
import { type LogEntry, type OperationLog } from './operation-log.ts'
import { type ServerState } from './state.ts'
import { type WatchEntry } from './watches.ts'

/** A session as the server sees it. */
export interface SessionView {
  readonly id: bigint
  readonly timeoutMs: number
  /** Paths of the ephemeral znodes it owns. */
  readonly ephemerals: readonly string[]
  /** Whether a connection holds it at the moment. */
  readonly connected: boolean
  /** How many of its requests have come in and are not answered yet, such as those that a fault delays. */
  readonly outstanding: number
}

export interface WatchView {
  readonly path: string
  readonly sessionId: bigint
}

/** All watches the server holds, one list for each kind. */
export interface WatchesView {
  /** Left by exists and getData. */
  readonly data: readonly WatchView[]
  readonly child: readonly WatchView[]
  readonly persistent: readonly WatchView[]
  readonly persistentRecursive: readonly WatchView[]
}

/** Servers to look at, one or several of one history. */
export interface Scope {
  /** What has happened. */
  readonly state: ServerState
  /** Where clients are connected. */
  readonly states: readonly ServerState[]
  readonly faults: Faults
  readonly log: OperationLog
  readonly lastZxid: bigint
  cut(): void
  cutSession(id: bigint): void
}

/** What {@link TestServer}, {@link TestEnsemble} and its members have in common. */
export abstract class Oracle {
  /** @internal */
  protected readonly scope: Scope

  protected constructor(scope: Scope) {
    this.scope = scope
  }

  get sessions(): readonly SessionView[] {
    const { state, states } = this.scope
    return [...state.sessions].map(({ id, timeoutMs }) => {
      const links = states.flatMap(({ linkOf }) => linkOf.get(id) ?? [])
      const ephemerals = state.tree.ephemeralsOf(id)
      const outstanding = links.reduce((sum, link) => sum + link.outstanding, 0)
      return { id, timeoutMs, ephemerals, connected: links.length > 0, outstanding }
    })
  }

  /** How many requests of all connections have come in and are not answered yet. Pings are left out. */
  get outstanding(): number {
    return this.sessions.reduce((sum, { outstanding }) => sum + outstanding, 0)
  }

  get watches(): WatchesView {
    const dataEntries = this.scope.states.flatMap(({ watches }) => watches.dataEntries)
    const childEntries = this.scope.states.flatMap(({ watches }) => watches.childEntries)
    return {
      data: viewOf(dataEntries, 'oneShot'),
      child: viewOf(childEntries, 'oneShot'),
      persistent: viewOf(dataEntries, 'persistent'),
      persistentRecursive: viewOf(dataEntries, 'recursive'),
    }
  }

  /** What shall go wrong. Faults can be added and removed at any time. */
  get faults(): Faults {
    return this.scope.faults
  }

  /** What clients asked for, and sessions that expired, oldest first. Pings are left out. */
  get log(): readonly LogEntry[] {
    return this.scope.log.entries
  }

  /** The zxid of the last transaction, successful or not. */
  get lastZxid(): bigint {
    return this.scope.lastZxid
  }

  /** What is at `path` now, whatever its ACL says. Null if there is no such znode. */
  get(path: string): { readonly data: Buffer | null; readonly stat: records.Stat } | null {
    const znode = this.scope.state.tree.get(path)
    return znode === undefined ? null : { data: znode.data, stat: znode.stat }
  }

  /** All znodes at this moment by path, sorted, but for `/` and what is below `/zookeeper`. */
  snapshot(): ReadonlyMap<string, { readonly data: Buffer | null; readonly stat: records.Stat }> {
    const paths = [...this.scope.state.tree.paths]
    const own = paths.filter((path) => path !== '/' && !/^\/zookeeper(\/|$)/.test(path)).sort()
    return new Map(own.flatMap((path) => [[path, this.get(path)!] as const]))
  }

  /**
   * Resolves as soon as `isTrue` is, which is asked now and whenever something has happened at the
   * server: a connection, a request, a reply, an expiry, a fault. So no test has to sleep.
   *
   * @throws {ZooKeeperError} `TIMEOUT`, `ABORTED`, or `CLOSED` with the server; and what `isTrue` throws.
   * @example
   * await server.until(() => server.sessions.every(({ connected }) => !connected))
   */
  until(isTrue: () => boolean, options: UntilOptions = {}): Promise<void> {
    return this.scope.state.changes.until(isTrue, options)
  }

  /**
   * Expires a session now: its ephemeral znodes go in one transaction, watches are told, and its
   * connection is closed.
   *
   * @throws {Error} if there is no such session.
   */
  async expire(sessionId: bigint): Promise<void> {
    const { state } = this.scope
    if (!state.hasSession(sessionId)) throw new Error(`there is no session ${hex(sessionId)}`)
    state.expire(sessionId)
  }

  /** Resets the connection of a session, or every connection. The sessions live on. */
  cut(sessionId?: bigint): void {
    if (sessionId === undefined) this.scope.cut()
    else this.scope.cutSession(sessionId)
  }
}

function viewOf(entries: readonly WatchEntry[], mode: WatchEntry['mode']): WatchView[] {
  return entries
    .filter((entry) => entry.mode === mode)
    .map(({ path, watcher }) => ({ path, sessionId: watcher.sessionId }))
}

function hex(id: bigint): string {
  return `0x${BigInt.asUintN(64, id).toString(16)}`
}
