import { operations } from '../protocol/operations.ts'
import { type ACL, type ClientInfo, type Stat, type WhoAmIResponse } from '../protocol/records.ts'
import { type Runtime } from '../session/runtime.ts'
import { check } from './check.ts'
import { type AuthOption } from './auth-option.ts'
import { followConfig } from './config-follower.ts'
import { type CreateCallOptions, createZnode } from './create.ts'
import { deleteRecursive } from './delete-recursive.ts'
import { type ConfigResult, getConfig, reconfig, type ReconfigOptions } from './ensemble.ts'
import { getEphemerals } from './ephemerals.ts'
import { type DeleteOptions, deleteZnode } from './delete.ts'
import { type EventStream } from './event-stream.ts'
import { getMany } from './get-many.ts'
import { type ExportedSession } from './exported-session.ts'
import { type IdempotentOption, isIdempotent, setDataIdempotently } from './idempotent.ts'
import { MultiRead } from './multi-read.ts'
import { observe } from './observe.ts'
import {
  type CallOptions,
  checkAuth,
  type ConnectOptions,
  hostsFor,
  resolveOptions,
} from './options.ts'
import { type Data, type Requests } from './requests.ts'
import {
  type AclResult,
  type ChildrenResult,
  type CreateResult,
  type DataResult,
} from './results.ts'
import { asIs, nothing, statOf } from './shapes.ts'
import { followService } from './service-follower.ts'
import { SessionKeeper } from './session-keeper.ts'
import { type ClientStats, statsOf } from './stats.ts'
import { type State, type StateChange } from './states.ts'
import { type SyncOption } from './sync-option.ts'
import { Transaction } from './transaction.ts'
import { View, type WatchOption } from './view.ts'
import { type Watch } from './watch.ts'
import { walk, type WalkEntry, type WalkOptions } from './walk.ts'
import {
  checkWatches,
  type CheckWatchesOptions,
  openWatch,
  removeWatches,
  type RemoveWatchesOptions,
  type WatchOptions,
} from './watching.ts'

/** What reads of a znode take. */
export type ReadOptions = CallOptions & WatchOption & SyncOption

/** For writes that must not overwrite what they have not seen. */
export interface VersionOption {
  /** The version the znode must have; else `BAD_VERSION`. Default: any. */
  readonly version?: number | undefined
}

/** What a recipe takes from the outside world. */
export interface RecipeRuntime {
  /** Milliseconds on a clock that never jumps and whose origin means nothing. */
  nowMs(): number
  /** Milliseconds since 1970. */
  wallMs(): number
  /** Like `nowMs`, but it also counts the time a suspended machine slept. */
  uptimeMs(): number
  /** Calls `fire` once `nowMs()` has reached `atMs`. */
  timer(atMs: number, fire: () => void): { cancel(): void }
  /**
   * Calls `fire` once `uptimeMs()` has reached `atMs`, and before anything that a client of this process
   * reads later is acted on.
   */
  leaseTimer(atMs: number, fire: () => void): { cancel(): void }
  /** A number from 0 up to 1. */
  random(): number
  uuid(): string
}

/** Read-only facts about the present session. */
export interface SessionInfo {
  /** 0n until a server has opened one. */
  readonly id: bigint
  /** Milliseconds, as granted by the server; before that, as asked for. */
  readonly timeout: number
}

/**
 * A ZooKeeper client: one session at a time, kept alive over reconnects.
 *
 * Common to all calls: they leave in the order in which they are made; they wait while there is no
 * link, up to their timeout; they reject with a {@link ZooKeeperError}, of which `code` says why and
 * `outcome` whether the servers' data changed. When a connection is lost, reads that were not answered
 * are sent again; writes that may have reached a server reject with `CONNECTION_LOSS` and
 * `outcome: 'unknown'`; calls that were never sent wait for the next link. Every call rejects with
 * `TIMEOUT` or `ABORTED` as {@link CallOptions} say, with `BAD_ARGUMENTS` before anything is sent, and
 * with `CLOSED` after `close()`.
 */
export class ZooKeeper implements AsyncDisposable {
  readonly #keeper: SessionKeeper
  readonly #view: View
  readonly #requests: Requests

  /** Use `connect`. */
  private constructor(view: View) {
    this.#keeper = view.keeper
    this.#view = view
    this.#requests = view.requests
  }

  /** @internal The `connect` of the package is this with Node's runtime. */
  static async connect(
    runtime: Runtime,
    connectString: string,
    options: ConnectOptions = {},
  ): Promise<ZooKeeper> {
    const resolved = resolveOptions(connectString, options)
    const keeper = new SessionKeeper(runtime, resolved)
    const zk = new ZooKeeper(new View(keeper, resolved.target.chroot))
    const { service } = resolved.target
    if (service !== null) followService(keeper, service)
    await keeper.connect(options.signal)
    if (resolved.followConfig) void followConfig(zk.#view)
    return zk
  }

  // --- Reads ------------------------------------------------------------------------------------

  /**
   * The data of a znode.
   *
   * Errors: `NO_NODE`, `NO_AUTH`, `REPLY_TOO_LARGE`. With `watch`: called when the data changes or the
   * znode is deleted.
   */
  getData(path: string, options?: ReadOptions): Promise<DataResult> {
    return this.#view.read(operations.getData, path, asIs, options)
  }

  /**
   * The Stat of a znode, or null if there is none.
   *
   * With `watch`: called when the znode is created, deleted, or its data changes.
   */
  exists(path: string, options?: ReadOptions): Promise<Stat | null> {
    return this.#view.read<Stat | null>(operations.exists, path, statOf, options)
  }

  /**
   * The names of a znode's children, and its Stat.
   *
   * Errors: `NO_NODE`, `NO_AUTH`, `REPLY_TOO_LARGE`. With `watch`: called when a child is created or
   * deleted, or the znode itself is deleted.
   */
  getChildren(path: string, options?: ReadOptions): Promise<ChildrenResult> {
    return this.#view.read(operations.getChildren2, path, asIs, options)
  }

  /** The ACL of a znode. Without ADMIN permission, digests are masked. Errors: `NO_NODE`, `NO_AUTH`. */
  getACL(path: string, options?: CallOptions & SyncOption): Promise<AclResult> {
    return this.#view.read(operations.getACL, path, asIs, options)
  }

  /**
   * The data of several znodes in one batch, in the order of the paths; null for each that is missing.
   * Other errors reject the whole. Each is read for itself: it is no snapshot.
   *
   * @example
   * const [users, orders] = await zk.getMany(['/config/users', '/config/orders'])
   */
  getMany(
    paths: readonly string[],
    options?: CallOptions & SyncOption,
  ): Promise<(DataResult | null)[]> {
    return getMany(this.#view, paths, options)
  }

  /** Starts several reads in one request, each with a result or an error of its own. */
  multiRead(): MultiRead {
    return new MultiRead(this.#view)
  }

  /**
   * The znode and everything below it, level by level: each before its children, and those of one level
   * in the order of their parents and, below one parent, of their names. What vanishes meanwhile, and a
   * `path` that is not there, is left out; what comes meanwhile may or may not be told.
   *
   * `timeout` is for each request, since the time between two of them is yours; without one, each has
   * the client's. Leave the loop whenever you like.
   *
   * Errors: `NO_AUTH`, and those of every call.
   *
   * @example
   * for await (const { path, stat } of zk.walk('/')) console.log(path, stat.dataLength)
   */
  walk(path: string, options: WalkOptions = {}): AsyncGenerator<WalkEntry, undefined> {
    return walk(this.#view, path, () => options, options.concurrency)
  }

  /** How many znodes are below one, at any depth. Errors: `NO_NODE`, `NO_AUTH`; servers from 3.6. */
  getAllChildrenNumber(path: string, options?: CallOptions & SyncOption): Promise<number> {
    return this.#view.read(operations.getAllChildrenNumber, path, totalOf, options)
  }

  /**
   * The paths of the ephemeral znodes that this session owns at `path` and below it, in no particular
   * order. Needs servers of 3.6 or later.
   */
  getEphemerals(path = '/', options?: CallOptions): Promise<readonly string[]> {
    return getEphemerals(this.#view, path, options)
  }

  /**
   * Resolves if the znode exists and has this version; -1 for any.
   *
   * Errors: `NO_NODE`, `BAD_VERSION`, `NO_AUTH`. Nothing changes, but like a write it is decided by the
   * leader. To write under a condition, put the check into a {@link ZooKeeper.multi}.
   */
  check(path: string, version: number, options?: CallOptions): Promise<void> {
    return check(this.#view, path, version, options)
  }

  /**
   * The servers of the ensemble, from `/zookeeper/config`, whatever the chroot; so is the path of the
   * event for `watch`, which is called when the ensemble was changed.
   */
  getConfig(options?: ReadOptions): Promise<ConfigResult> {
    return getConfig(this.#view, options)
  }

  /** The identities by which servers judge this client, `ip` among them. Needs servers of 3.7. */
  whoAmI(options?: CallOptions): Promise<readonly ClientInfo[]> {
    return this.#view.call(operations.whoAmI, () => ({ path: '' }), clientInfoOf, options)
  }

  /**
   * Makes the server catch up with its leader: reads that follow on this client see everything that
   * was committed when the leader got the sync.
   */
  sync(path = '/', options?: CallOptions): Promise<void> {
    return this.#view.call(
      operations.sync,
      () => ({ path: this.#requests.path(path) }),
      nothing,
      options,
    )
  }

  // --- Writes -----------------------------------------------------------------------------------

  /**
   * Creates a znode.
   *
   * Data up to 16 KiB is copied at the call; larger data must not change until the promise settles.
   *
   * Errors: `NODE_EXISTS`, `NO_NODE` (no parent), `NO_AUTH`, `NO_CHILDREN_FOR_EPHEMERALS`,
   * `INVALID_ACL`, `REQUEST_TOO_LARGE`, `UNIMPLEMENTED` (TTL is not enabled), `QUOTA_EXCEEDED`,
   * `EPHEMERAL_ON_LOCAL_SESSION` (servers with local sessions that they do not upgrade; in a transaction,
   * followers of 3.9 say `SESSION_EXPIRED` instead, and the session goes on). A lost
   * reply leaves it unknown whether the znode exists, unless `protect` or `idempotent` resolves it.
   *
   * With `parents`, missing ancestors are made when the server says `NO_NODE`, which costs two more
   * turns. Then an error may be an ancestor's: see its `path`.
   *
   * `timeout`, or else the client's `requestTimeout`, is for all that the call takes: ancestors, looks
   * at what a lost reply has left, and, on servers that do not answer one, the Stat.
   */
  create(path: string, data?: Data, options?: CreateCallOptions): Promise<CreateResult> {
    return createZnode(this.#view, path, data, options)
  }

  /**
   * Deletes a znode. Errors: `NO_NODE`, `NOT_EMPTY`, `BAD_VERSION`, `NO_AUTH`.
   *
   * With `idempotent` and without `version`, a lost reply is resolved by whether the znode is gone, not
   * by who removed it: whoever claims something by deleting it must not ask for that. With `guaranteed`
   * the client goes on with it in the background if the call fails without an answer.
   */
  delete(path: string, options?: DeleteOptions): Promise<void> {
    return deleteZnode(this.#view, path, options)
  }

  /**
   * Deletes a znode and everything below it, while others create and delete there, too. A znode that
   * is not there is content. A lost connection or session does not end it.
   *
   * If it fails, some of it may be gone. Errors: `NO_AUTH`; `NOT_EMPTY`, if others create faster than
   * this deletes; `BAD_ARGUMENTS` for the root. A `timeout` is for all of it; without one, it takes
   * what it takes, and each request has the client's.
   */
  deleteRecursive(path: string, options?: CallOptions): Promise<void> {
    return deleteRecursive(this.#view, path, options)
  }

  /**
   * Replaces the data of a znode and returns its new Stat.
   *
   * Data up to 16 KiB is copied at the call; larger data must not change until the promise settles.
   *
   * Errors: `NO_NODE`, `BAD_VERSION`, `NO_AUTH`, `REQUEST_TOO_LARGE`, `QUOTA_EXCEEDED`.
   *
   * With `idempotent`, a lost reply is resolved: without `version` by whether the znode holds the data,
   * written since the call; with `version` only if the data is unique, or if it can be ruled out.
   */
  setData(
    path: string,
    data: Data,
    options?: CallOptions & VersionOption & IdempotentOption,
  ): Promise<Stat> {
    if (isIdempotent(options)) return setDataIdempotently(this.#view, path, data, options)
    return this.#view.call(
      operations.setData,
      () => this.#requests.setData(path, data, options),
      statOf,
      options,
    )
  }

  /**
   * Replaces the ACL of a znode and returns its new Stat. `version` is compared with its `aversion`.
   *
   * Errors: `NO_NODE`, `BAD_VERSION`, `NO_AUTH`, `INVALID_ACL`.
   */
  setACL(path: string, acl: readonly ACL[], options?: CallOptions & VersionOption): Promise<Stat> {
    return this.#view.call(
      operations.setACL,
      () => this.#requests.setACL(path, acl, options),
      statOf,
      options,
    )
  }

  /** Starts a transaction: several writes that happen together or not at all. */
  multi(): Transaction {
    return new Transaction(this.#view)
  }

  /**
   * Changes the ensemble, and resolves with what it is then. It is decided by the servers of the old
   * and the new ensemble together, which takes as long as new ones need to catch up.
   *
   * Errors: `RECONFIG_DISABLED` (the servers' default), `NO_AUTH` (without permission to write to
   * `/zookeeper/config`, which only `super` has by default), `BAD_VERSION`, `NEW_CONFIG_NO_QUORUM` (too
   * few of the new servers are ready), `RECONFIG_IN_PROGRESS`, `UNIMPLEMENTED` (a standalone server).
   * The connection may be lost on the way, which leaves the outcome unknown: see `getConfig`.
   *
   * @example
   * const { version } = await zk.getConfig()
   * await zk.reconfig({
   *   joining: ['server.4=zk4:2888:3888:participant;0.0.0.0:2181'],
   *   leaving: [1],
   *   fromConfig: version,
   * })
   */
  reconfig(change: ReconfigOptions, options?: CallOptions): Promise<ConfigResult> {
    return reconfig(this.#view, change, options)
  }

  // --- Watches ----------------------------------------------------------------------------------

  /**
   * Watches a znode, existing or not, for as long as the iterator lives: its creation, changes of its
   * data and of its list of children, its deletion. With `recursive`, all its descendants too, but no
   * `NodeChildrenChanged`. Needs servers of 3.6 or later; else iterating fails with `UNIMPLEMENTED`.
   *
   * After a reconnect or an expiry a `resync` event tells that events may have been missed: read again.
   * What is asked from then on is answered by a server that watches already. If that read fails with
   * `CONNECTION_LOSS` or `SESSION_EXPIRED`, another `resync` follows; after a `TIMEOUT` it is for you to
   * repeat.
   *
   * When the consumer is more than `watchBufferMax` events behind, an `overflow` event takes the place
   * of the rest. An abort makes the iterator throw `ABORTED`; `close()` ends it.
   *
   * @example
   * for await (const event of zk.watch('/config', { recursive: true })) console.log(event.type)
   */
  watch(path: string, options: WatchOptions = {}): Watch {
    return openWatch(this.#view, path, options)
  }

  /**
   * The value of a znode now, and then every newer value; null while there is none. Values that were
   * replaced before the consumer asked are left out: the one it gets is the newest.
   *
   * It survives reconnects and expiry. An abort makes it throw `ABORTED`; `close()` ends it; an error
   * that no waiting can mend, such as `NO_AUTH`, is thrown.
   *
   * @example
   * for await (const now of zk.observe('/config')) apply(now?.data ?? null)
   */
  observe(
    path: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<DataResult | null, undefined> {
    return observe(this.#view, path, signal)
  }

  /**
   * Whether the server watches a path for this session now: what it says, not what this client
   * remembers, to see whether watches are where they should be. Those of all views of the session
   * count. Servers before 3.9 keep one watch of each path that is persistent or not; a client that has
   * several there makes do with it, and the server knows of that one only. Those of 3.6 to 3.8 say yes,
   * too, if it is another session that watches the path.
   *
   * Errors: `UNIMPLEMENTED` by servers before 3.5, and before 3.9 for the persistent kinds.
   *
   * @example
   * await zk.getData('/config', { watch })
   * await zk.checkWatches('/config', { kind: 'data' }) // true, until it fires
   */
  checkWatches(path: string, options: CheckWatchesOptions = {}): Promise<boolean> {
    return checkWatches(this.#view, path, options)
  }

  /**
   * Takes watches of a path back, like Java's `removeWatches` and `removeAllWatches`: whoever waited is
   * told `removed`, iterators end, and the server stops watching what nobody else of this client needs.
   * To take back one callback of your own, `watchSignal` is simpler; an iterator is just left.
   *
   * It is done at once here, and resolves when the server has done it, too. Without a connection there
   * is no server that watches for this client, so there is nothing to wait for.
   *
   * Errors: `NO_WATCHER` if this client has no such watch; `UNIMPLEMENTED` by servers before 3.5,
   * unless `local`. On `ABORTED` and `TIMEOUT`, too, it is done here.
   */
  removeWatches(path: string, options: RemoveWatchesOptions = {}): Promise<void> {
    return removeWatches(this.#view, path, options)
  }

  // --- The client itself ------------------------------------------------------------------------

  /** The clocks, timers and dice of this client, for recipes: a simulation has its own. */
  get runtime(): RecipeRuntime {
    return this.#keeper.runtime
  }

  /** What the client knows of its session now. */
  get state(): State {
    return this.#view.states.current
  }

  /** The present session. */
  get session(): SessionInfo {
    const { id, timeoutMs } = this.#keeper.session
    return { id, timeout: timeoutMs }
  }

  /** `host:port` of the server that serves the client now, or null. */
  get server(): string | null {
    return this.#keeper.session.server
  }

  /** What the client is doing, and has done so far: a plain snapshot, to be logged or measured. */
  stats(): ClientStats {
    return statsOf(this.state, this.#keeper.session, this.#keeper.monitor.counters)
  }

  /** Resolves once the client is in `state`: at once if it is. Rejects with `CLOSED` or `AUTH_FAILED`
   * if it never will be. */
  waitFor(state: State, options: CallOptions = {}): Promise<void> {
    return this.#view.waitFor([state], options)
  }

  /**
   * Resolves once at most half of `queuedBytesMax` waits to be sent: at once if so. Whoever makes calls
   * without awaiting each of them waits here, instead of for `QUEUE_FULL`. Rejects with `TIMEOUT` and
   * `ABORTED` as {@link CallOptions} say, and with `CLOSED` and the like when the client ends.
   *
   * @example
   * for (const item of items) {
   *   await zk.drained()
   *   results.push(zk.create('/items/i-', item, { mode: 'persistent-sequential' }))
   * }
   */
  drained(options: CallOptions = {}): Promise<void> {
    return this.#keeper.drained(options)
  }

  /**
   * Every change of state from now on; ends after the last one. A change is told before what follows
   * from it for watches: `expired` before `session-expired`, `connected` before `resync`, `closed` before
   * `closed`. All of that is told when it has happened: by then the next session may be under way.
   */
  states(): EventStream<StateChange> {
    return this.#view.states.changes()
  }

  /**
   * Takes on an identity, on this connection and on every later one. Resolves when a server has
   * accepted it. A rejected identity ends the client: state `auth-failed`, and every call rejects with
   * `AUTH_FAILED`. `digest` never fails, since any user and password are an identity.
   *
   * @param auth a function is asked for it now and at each later attempt. Now it must not throw; later,
   * that only costs the attempt.
   * @throws {ZooKeeperError} `BAD_ARGUMENTS` for `digest` without TLS to a host other than loopback,
   * unless the client was made with `allowInsecureAuth`: the password would cross the network as it is.
   */
  async addAuth(scheme: string, auth: AuthOption): Promise<void> {
    const { sendsPasswords } = this.#keeper.options
    checkAuth(scheme, this.#keeper.hosts, sendsPasswords)
    await this.#view.addAuth(scheme, auth)
  }

  /**
   * Takes on another list of servers, while connected or not. The session goes on. Some clients move
   * to another server, so that each server ends up with its share of them, as in Java's client: all of
   * a server that was removed, and of the others as many as new servers have room for. Such a client
   * first waits for the answers to what it has written, for a third of the session timeout at most;
   * its states are `suspended`, with the reason `moved`, and `connected`.
   *
   * @param connectString as for `connect`; a chroot must be the client's own, and may be left out.
   * @throws {ZooKeeperError} `BAD_CONNECT_STRING`; `BAD_ARGUMENTS` for another chroot, for `dns-srv://`
   * and clients of it, for `zks://` unless the client uses TLS, and for hosts that `digest` must not be sent to; `CLOSED`.
   *
   * @example
   * zk.updateServers('zk1:2181,zk2:2181,zk3:2181,zk4:2181,zk5:2181')
   */
  updateServers(connectString: string): void {
    this.#keeper.updateHosts(hostsFor(this.#keeper.options, connectString))
  }

  /**
   * A client of the same session, for what lies below `path`: all paths that it takes, and all that it
   * gives back, are relative to that. It has watches and iterators of its own. `close()` ends it alone:
   * its iterators end, its calls reject with `CLOSED`, its one-shot watches are told `closed`, and its
   * `state` is `closed`, while the session, and so its ephemeral znodes, live on; hence release locks
   * and the like before. It ends with this client at the latest.
   *
   * @throws {ZooKeeperError} `BAD_ARGUMENTS` if the path is none.
   *
   * @example
   * const app = zk.chroot('/app')
   * await app.create('/config', 'v1') // /app/config
   * const lock = new Lock(app, '/lock') // /app/lock
   */
  chroot(path: string): ZooKeeper {
    return new ZooKeeper(this.#view.below(path))
  }

  /**
   * Ends this client, but not its session: another client goes on with it, by
   * `connect(…, { session })`, within the session timeout. Ephemerals stay. Calls that were not written
   * reject with `CLOSED`; those that were are waited for, `closeGrace` milliseconds at most. Watches end.
   *
   * @throws {ZooKeeperError} `UNKNOWN_SESSION` if there is none yet, or only one that a read-only server
   * made up; `CLOSED` and the like if the client has ended. It goes on then.
   *
   * @example
   * const session = await zk.exportSession()
   * process.send(session.reveal()) // and there: await connect('zk1:2181', { session: message })
   */
  exportSession(): Promise<ExportedSession> {
    return this.#keeper.exportSession()
  }

  /**
   * Ends the session and the client; of a {@link ZooKeeper.chroot} view, the view alone.
   *
   * Calls that were not written reject with `CLOSED`; those that were may still be answered until the
   * server answers the closeSession, for `closeGrace` milliseconds at most. Ephemerals vanish at once if
   * the server heard it, else when the session expires. Idempotent; never rejects; leaves no handle
   * behind.
   */
  close(): Promise<void> {
    return this.#view.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const totalOf = ({ totalNumber }: { readonly totalNumber: number }): number => totalNumber
const clientInfoOf = ({ clientInfo }: WhoAmIResponse): readonly ClientInfo[] => clientInfo
