import { type Duplex } from 'node:stream'
import { type TlsOptions } from 'node:tls'
import { usualSchemes } from './acl.ts'
import { type Clock, realClock } from './clock.ts'
import { Keeper, type KeeperOptions } from './keeper.ts'
import { Door } from './listener.ts'
import { Oracle } from './oracle.ts'
import { preload, type TreeOption } from './preload.ts'
import { profileOf, type ProfileName } from './profile.ts'
import { type SaslOptions } from './sasl.ts'

export interface TestServerOptions {
  /**
   * Whose behaviour it has, as far as it shows on the wire: which operations it knows, how it watches,
   * what it tells. Default `'3.9'`.
   */
  readonly profile?: ProfileName
  /** 0, the default, takes a free one. */
  readonly port?: number
  readonly host?: string
  /**
   * False opens no port: the server is reached by {@link TestServer.dial} alone, and `connectString` has
   * a port where nobody listens. Default true.
   */
  readonly listen?: boolean
  /** In milliseconds. Sessions expire up to one tick after their timeout. */
  readonly tickTime?: number
  /** In milliseconds; two ticks by default, as in ZooKeeper. */
  readonly minSessionTimeout?: number
  /** In milliseconds. ZooKeeper's own default, twenty ticks, would be too little for short ticks. */
  readonly maxSessionTimeout?: number
  /** Whether TTL znodes can be created, which real servers allow only if told so. */
  readonly extendedTypes?: boolean
  /**
   * Whether a write beyond a hard limit below `/zookeeper/quota` is refused with `QUOTA_EXCEEDED`, which
   * servers since ZooKeeper 3.7 do if told so. Default false: quotas are counted, and nobody is refused.
   */
  readonly enforceQuota?: boolean
  /**
   * Whether `reconfig` is not refused with `RECONFIG_DISABLED`. Whoever may write to `/zookeeper/config`
   * can then change a `TestEnsemble`; a lone server answers `UNIMPLEMENTED`. Default false, as in ZooKeeper.
   */
  readonly reconfigEnabled?: boolean
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
}

/**
 * A ZooKeeper server in this process, on a real TCP port or in memory: for tests that need no Java.
 *
 * It behaves like a standalone server of ZooKeeper 3.9, or of another `profile`, and keeps everything in memory.
 *
 * @example
 * await using server = await TestServer.start()
 * const zk = await connect(server.connectString)
 */
export class TestServer extends Oracle implements AsyncDisposable {
  /**
   * The option `dial` of `connect`: connections in memory, with the same faults as those by TCP, whether
   * the server listens or not.
   *
   * @example
   * await using server = await TestServer.start({ listen: false })
   * const zk = await connect(server.connectString, { dial: server.dial })
   */
  readonly dial: () => Promise<Duplex>
  readonly #keeper: Keeper
  readonly #door: Door
  #isClosed = false

  /** Starts a server. It serves when the promise resolves. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const server = new TestServer(options)
    await server.#door.open()
    return server
  }

  private constructor(options: TestServerOptions) {
    const keeper = new Keeper(keeperOptionsOf(options))
    super(keeper)
    this.#keeper = keeper
    if (options.tree !== undefined) preload(keeper.state, options.tree)
    const door = new Door({ ...options, port: portOf(options, 1) }, (wire) => keeper.accept(wire))
    this.#door = door
    this.dial = () => door.dial()
  }

  get port(): number {
    return this.#door.port
  }

  /** `127.0.0.1:2181`, for a client; with TLS `zks://127.0.0.1:2181`. */
  get connectString(): string {
    return this.#door.scheme + this.#door.address
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
    await this.#door.close()
  }

  /** Comes back on the same port. Every session has its whole timeout again. */
  async resume(): Promise<void> {
    if (this.#isClosed) throw new Error('the server is closed')
    if (this.#door.isOpen) return
    await this.#door.open()
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
}

/** @internal A free one, or where nobody listens: the name of a server that is reached in memory. */
export function portOf({ port, listen }: TestServerOptions, name: number): number {
  return port ?? (listen === false ? name : 0)
}

/** @internal */
export function keeperOptionsOf(options: TestServerOptions): KeeperOptions {
  const tickTimeMs = options.tickTime ?? 200
  const sessionTimeoutMsMin = options.minSessionTimeout ?? 2 * tickTimeMs
  const profile = profileOf(options.profile ?? '3.9')
  return {
    clock: options.clock ?? realClock,
    profile,
    serverId: 1,
    tickTimeMs,
    sessionTimeoutMsMin,
    sessionTimeoutMsMax: Math.max(options.maxSessionTimeout ?? 60_000, sessionTimeoutMsMin),
    logEntriesMax: options.logEntriesMax ?? 10_000,
    enforcesQuotas: profile.knowsHardLimits && options.enforceQuota === true,
    allowsReconfig: options.reconfigEnabled,
    hasExtendedTypes: options.extendedTypes ?? true,
    superDigest: options.superDigest ?? null,
    schemes: new Set([
      ...usualSchemes,
      ...(options.tls === undefined ? [] : ['x509']),
      ...(options.sasl === undefined ? [] : ['sasl']),
    ]),
    sasl: options.sasl,
    sweepIntervalMs: options.containerCheckInterval ?? 1000,
  }
}
