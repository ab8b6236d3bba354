import { type AddressInfo, type Server, type Socket } from 'node:net'
import { type TlsOptions } from 'node:tls'
import { formatHost, type records } from '../protocol/index.ts'
import { usualSchemes } from './acl.ts'
import { type UntilOptions } from './changes.ts'
import { type Clock, realClock } from './clock.ts'
import { type Faults } from './faults.ts'
import { type Interception, Keeper } from './keeper.ts'
import { listenerOf, wireOf } from './listener.ts'
import { type LogEntry } from './operation-log.ts'
import { preload, type TreeOption } from './preload.ts'
import { type RequestView } from './request-view.ts'
import { type SaslOptions } from './sasl.ts'
import { type WatchEntry } from './watches.ts'

export interface TestServerOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number
  readonly host?: string
  /** In milliseconds. Sessions expire up to one tick after their timeout. */
  readonly tickTime?: number
  /** In milliseconds; two ticks by default, as in ZooKeeper. */
  readonly minSessionTimeout?: number
  /** In milliseconds. ZooKeeper's own default, twenty ticks, would be too little for short ticks. */
  readonly maxSessionTimeout?: number
  /** Whether TTL znodes can be created, which real servers allow only if told so. */
  readonly extendedTypes?: boolean
  /** How often containers and TTL znodes are looked at, in milliseconds. */
  readonly containerCheckInterval?: number
  /** `user:hash` of an identity that may do everything, as `digest` ACLs are written. */
  readonly superDigest?: string
  /**
   * Speaks TLS, and nothing else. The options are those of Node's `tls.createServer`: with
   * `requestCert` and `ca`, clients are known by the subject of their certificate, in the scheme `x509`.
   */
  readonly tls?: TlsOptions
  /** Takes part in SASL, by DIGEST-MD5. */
  readonly sasl?: SaslOptions
  /** How many operations {@link TestServer.log} remembers. */
  readonly logEntriesMax?: number
  readonly clock?: Clock
  /** Znodes that are there from the start: `{ '/app': 'x', '/app/a': { data: null } }`. */
  readonly tree?: TreeOption
  /**
   * Is asked about each request as it comes in, pings included, before
   * {@link TestServer.faults}, and may let the network fail: `drop-request` cuts the link before the
   * request is carried out, `drop-reply` after; or answer an error instead: `{ err: -127 }`. For what a
   * plan cannot say, such as doing something of your own at that moment.
   */
  readonly intercept?: (request: RequestView) => Interception | undefined
}

/** A session as the server sees it. */
export interface SessionView {
  readonly id: bigint
  readonly timeoutMs: number
  /** Paths of the ephemeral znodes it owns. */
  readonly ephemerals: readonly string[]
  /** Whether a connection holds it at the moment. */
  readonly connected: boolean
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

/**
 * A ZooKeeper server in this process, on a real TCP port: for tests that need no Java.
 *
 * It behaves like a standalone server of ZooKeeper 3.9 and keeps everything in memory.
 *
 * @example
 * await using server = await TestServer.start()
 * const zk = await connect(server.connectString)
 */
export class TestServer implements AsyncDisposable {
  readonly #host: string
  readonly #tls: TlsOptions | null
  readonly #keeper: Keeper
  #port: number
  #listener: Server | null = null
  readonly #sockets = new Set<Socket>()
  #isClosed = false

  /** Starts a server. It listens when the promise resolves. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options)
    await server.#listen()
    return server
  }

  private constructor(options: TestServerOptions) {
    const tickTimeMs = options.tickTime ?? 200
    const sessionTimeoutMsMin = options.minSessionTimeout ?? 2 * tickTimeMs
    this.#host = options.host ?? '127.0.0.1'
    this.#port = options.port ?? 0
    this.#tls = options.tls ?? null
    this.#keeper = new Keeper({
      clock: options.clock ?? realClock,
      serverId: 1,
      tickTimeMs,
      sessionTimeoutMsMin,
      sessionTimeoutMsMax: Math.max(options.maxSessionTimeout ?? 60_000, sessionTimeoutMsMin),
      logEntriesMax: options.logEntriesMax ?? 10_000,
      hasExtendedTypes: options.extendedTypes ?? true,
      superDigest: options.superDigest ?? null,
      schemes: new Set([
        ...usualSchemes,
        ...(options.tls === undefined ? [] : ['x509']),
        ...(options.sasl === undefined ? [] : ['sasl']),
      ]),
      sasl: options.sasl,
      sweepIntervalMs: options.containerCheckInterval ?? 1000,
      intercept: options.intercept,
    })
    if (options.tree !== undefined) preload(this.#keeper.state, options.tree)
  }

  get port(): number {
    return this.#port
  }

  /** `127.0.0.1:2181`, for a client; with TLS `zks://127.0.0.1:2181`. */
  get connectString(): string {
    const scheme = this.#tls === null ? '' : 'zks://'
    return scheme + formatHost({ name: this.#host, port: this.#port })
  }

  get sessions(): readonly SessionView[] {
    const { sessions, tree, linkOf } = this.#keeper.state
    return [...sessions].map(({ id, timeoutMs }) => {
      return { id, timeoutMs, ephemerals: tree.ephemeralsOf(id), connected: linkOf.has(id) }
    })
  }

  get watches(): WatchesView {
    const { dataEntries, childEntries } = this.#keeper.state.watches
    return {
      data: viewOf(dataEntries, 'oneShot'),
      child: viewOf(childEntries, 'oneShot'),
      persistent: viewOf(dataEntries, 'persistent'),
      persistentRecursive: viewOf(dataEntries, 'recursive'),
    }
  }

  /** What shall go wrong. Faults can be added and removed at any time. */
  get faults(): Faults {
    return this.#keeper.faults
  }

  /** What clients asked for, and sessions that expired, oldest first. Pings are left out. */
  get log(): readonly LogEntry[] {
    return this.#keeper.state.log.entries
  }

  /** The zxid of the last transaction, successful or not. */
  get lastZxid(): bigint {
    return this.#keeper.state.lastZxid
  }

  /** What is at `path` now, whatever its ACL says. Null if there is no such znode. */
  get(path: string): { readonly data: Buffer | null; readonly stat: records.Stat } | null {
    const znode = this.#keeper.state.tree.get(path)
    return znode === undefined ? null : { data: znode.data, stat: znode.stat }
  }

  /** All znodes at this moment by path, sorted, but for `/` and what is below `/zookeeper`. */
  snapshot(): ReadonlyMap<string, { readonly data: Buffer | null; readonly stat: records.Stat }> {
    const paths = [...this.#keeper.state.tree.paths]
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
    return this.#keeper.state.changes.until(isTrue, options)
  }

  /**
   * Expires a session now: its ephemeral znodes go in one transaction, watches are told, and its
   * connection is closed.
   *
   * @throws {Error} if there is no such session.
   */
  async expire(sessionId: bigint): Promise<void> {
    const session = this.#keeper.state.sessions.get(sessionId)
    if (session === undefined) throw new Error(`there is no session ${hex(sessionId)}`)
    this.#keeper.state.expire(session)
  }

  /** Resets the connection of a session, or every connection. The sessions live on. */
  cut(sessionId?: bigint): void {
    if (sessionId === undefined) this.#keeper.cut()
    else this.#keeper.cutSession(sessionId)
  }

  /**
   * Loses its quorum, like a member whose peers are gone, or finds it again; all connections end. While
   * read-only it serves clients that accept that, in sessions of its own, and refuses what needs a
   * quorum with `NOT_READ_ONLY`. Its other sessions wait, and none expires.
   */
  setReadOnly(isReadOnly: boolean): void {
    this.#keeper.setReadOnly(isReadOnly)
  }

  /** Loses its data and sessions, as after the loss of a disk; all connections end. */
  wipe(): void {
    this.#keeper.wipe()
  }

  /**
   * Goes away like a server that is restarted: stops listening and resets all connections. Znodes
   * and sessions stay, and no session expires meanwhile.
   */
  async stop(): Promise<void> {
    this.#keeper.pause()
    const listener = this.#listener
    this.#listener = null
    const closed = new Promise((resolve) => {
      if (listener === null) resolve(undefined)
      else listener.close(resolve)
    })
    // Also those that have sent their last bytes and wait for the client to close.
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** Comes back on the same port. Every session has its whole timeout again. */
  async resume(): Promise<void> {
    if (this.#isClosed) throw new Error('the server is closed')
    if (this.#listener !== null) return
    await this.#listen()
    this.#keeper.resume()
  }

  /** Ends it for good. Idempotent, and leaves no socket and no timer behind. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.faults.clear()
    await this.stop()
    this.#keeper.state.changes.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #listen(): Promise<void> {
    const listener = listenerOf(this.#tls, (socket) => this.#accept(socket))
    listener.on('connection', (socket: Socket) => this.#track(socket))
    this.#listener = listener
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject)
      listener.listen(this.#port, this.#host, () => {
        listener.off('error', reject)
        resolve()
      })
    })
    this.#port = (listener.address() as AddressInfo).port
  }

  /** Also connections whose TLS handshake goes on, or failed. */
  #track(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #accept(socket: Socket): void {
    const cable = this.#keeper.accept(wireOf(socket))
    socket.on('data', (chunk) => cable.handleBytes(chunk))
    socket.on('end', () => cable.handleClosed())
    socket.on('error', () => cable.handleClosed())
    socket.on('close', () => cable.handleClosed())
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
