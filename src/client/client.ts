import { AddWatchMode, WatcherType } from '../protocol/constants.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { type MultiPart, type MultiResult } from '../protocol/multi.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import type * as records from '../protocol/records.ts'
import { type ACL, type Stat } from '../protocol/records.ts'
import { type Runtime } from '../session/runtime.ts'
import { tableOfMode, type Watcher, type WatchEvent } from '../session/watches.ts'
import { type EventStream } from './event-stream.ts'
import { observe } from './observe.ts'
import {
  type CallOptions,
  checkAuth,
  type ConnectOptions,
  positive,
  resolveOptions,
} from './options.ts'
import { patiently } from './patience.ts'
import { Request, type Shape } from './request.ts'
import { type CreateOptions, type Data, Requests } from './requests.ts'
import { SessionKeeper } from './session-keeper.ts'
import { type State, type StateChange } from './states.ts'
import { MultiCall, operationOfMode, Transaction } from './transaction.ts'
import { Watch } from './watch.ts'

/** For reads that set a watch. */
export interface WatchOption {
  /**
   * Sets a one-shot watch and calls this when it fires, once, in a microtask of its own. It is set
   * again on reconnects; if its session expires it is called with `session-expired`, if the client
   * ends with `closed`. What it throws goes to the `logger`.
   */
  readonly watch?: ((event: WatchEvent) => void) | undefined
}

/** For writes that must not overwrite what they have not seen. */
export interface VersionOption {
  /** The version the znode must have; else `BAD_VERSION`. Default: any. */
  readonly version?: number | undefined
}

/** A znode that was created. */
export interface CreateResult {
  /** The path that was created: with its sequence number, if it has one. */
  readonly path: string
  readonly stat: Stat
}

/** What a znode holds. */
export interface DataResult {
  /** Null and empty are different values. A copy: it is the caller's. */
  readonly data: Buffer | null
  readonly stat: Stat
}

/** What lies below a znode. */
export interface ChildrenResult {
  /** Names, not paths, in no particular order. */
  readonly children: readonly string[]
  readonly stat: Stat
}

/** Who may do what with a znode. */
export interface AclResult {
  readonly acl: readonly ACL[]
  readonly stat: Stat
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
  readonly #requests: Requests

  /** Use `connect`. */
  private constructor(keeper: SessionKeeper) {
    const { target, acl } = keeper.options
    this.#keeper = keeper
    this.#requests = new Requests(target.chroot, acl)
  }

  /** @internal The `connect` of the package is this with Node's runtime. */
  static async connect(
    runtime: Runtime,
    connectString: string,
    options: ConnectOptions = {},
  ): Promise<ZooKeeper> {
    const resolved = resolveOptions(connectString, options)
    const keeper = new SessionKeeper(runtime, resolved)
    const zk = new ZooKeeper(keeper)
    // A rejected identity ends the client, which `keeper.connect` tells.
    for (const { scheme, auth } of resolved.auth) zk.addAuth(scheme, auth).catch(() => undefined)
    await keeper.connect(options.signal)
    return zk
  }

  // --- Reads ------------------------------------------------------------------------------------

  /**
   * The data of a znode.
   *
   * Errors: `NO_NODE`, `NO_AUTH`, `REPLY_TOO_LARGE`. With `watch`: called when the data changes or the
   * znode is deleted.
   */
  getData(path: string, options?: CallOptions & WatchOption): Promise<DataResult> {
    return this.#read(operations.getData, path, asIs, options)
  }

  /**
   * The Stat of a znode, or null if there is none.
   *
   * With `watch`: called when the znode is created, deleted, or its data changes.
   */
  exists(path: string, options?: CallOptions & WatchOption): Promise<Stat | null> {
    return this.#read<Stat | null>(operations.exists, path, statOf, options)
  }

  /**
   * The names of a znode's children, and its Stat.
   *
   * Errors: `NO_NODE`, `NO_AUTH`, `REPLY_TOO_LARGE`. With `watch`: called when a child is created or
   * deleted, or the znode itself is deleted.
   */
  getChildren(path: string, options?: CallOptions & WatchOption): Promise<ChildrenResult> {
    return this.#read(operations.getChildren2, path, asIs, options)
  }

  /** The ACL of a znode. Without ADMIN permission, digests are masked. Errors: `NO_NODE`, `NO_AUTH`. */
  getACL(path: string, options?: CallOptions): Promise<AclResult> {
    return this.#call(operations.getACL, () => ({ path: this.#requests.path(path) }), asIs, options)
  }

  /**
   * Makes the server catch up with its leader: reads that follow on this client see everything that
   * was committed when the leader got the sync.
   */
  sync(path = '/', options?: CallOptions): Promise<void> {
    return this.#call(
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
   * `INVALID_ACL`, `REQUEST_TOO_LARGE`, `UNIMPLEMENTED` (TTL is not enabled), `QUOTA_EXCEEDED`. A lost
   * reply leaves it unknown whether the znode exists.
   */
  create(path: string, data?: Data, options?: CreateOptions & CallOptions): Promise<CreateResult> {
    const operation = operationOfMode(options?.mode ?? 'persistent')
    return this.#call(
      operation,
      () => this.#requests.create(path, data, options),
      createdOf,
      options,
    )
  }

  /** Deletes a znode. Errors: `NO_NODE`, `NOT_EMPTY`, `BAD_VERSION`, `NO_AUTH`. */
  delete(path: string, options?: CallOptions & VersionOption): Promise<void> {
    return this.#call(
      operations.delete,
      () => this.#requests.delete(path, options),
      nothing,
      options,
    )
  }

  /**
   * Replaces the data of a znode and returns its new Stat.
   *
   * Data up to 16 KiB is copied at the call; larger data must not change until the promise settles.
   *
   * Errors: `NO_NODE`, `BAD_VERSION`, `NO_AUTH`, `REQUEST_TOO_LARGE`, `QUOTA_EXCEEDED`.
   */
  setData(path: string, data: Data, options?: CallOptions & VersionOption): Promise<Stat> {
    return this.#call(
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
    return this.#call(
      operations.setACL,
      () => this.#requests.setACL(path, acl, options),
      statOf,
      options,
    )
  }

  /** Starts a transaction: several writes that happen together or not at all. */
  multi(): Transaction {
    return new Transaction(this.#requests, this.#commit)
  }

  // --- Watches ----------------------------------------------------------------------------------

  /**
   * Watches a znode, existing or not, for as long as the iterator lives: its creation, changes of its
   * data and of its list of children, its deletion. With `recursive`, all its descendants too, but no
   * `NodeChildrenChanged`. Needs servers of 3.6 or later; else iterating fails with `UNIMPLEMENTED`.
   *
   * After a reconnect or an expiry a `resync` event tells that events may have been missed. When the
   * consumer is more than `watchBufferMax` events behind, an `overflow` event takes the place of the
   * rest. An abort makes the iterator throw `ABORTED`; `close()` ends it.
   *
   * @example
   * for await (const event of zk.watch('/config', { recursive: true })) console.log(event.type)
   */
  watch(path: string, options: CallOptions & { readonly recursive?: boolean } = {}): Watch {
    const mode = options.recursive === true ? 'persistent-recursive' : 'persistent'
    const request = { path: this.#requests.path(path), mode: AddWatchMode[mode] }
    let stopSignal = nothing
    const watch: Watch = new Watch(path, this.#keeper.options.watchBufferMax, {
      arm: (watcher) => {
        const local = this.#localWatcher(watcher)
        const add = () => this.#call(operations.addWatch, () => request, nothing, options, local)
        return { ready: patiently(add, () => this.#untilServed(options)), watcher: local }
      },
      disarm: (watcher) => {
        stopSignal()
        this.#keeper.open.delete(watch)
        this.#forgetWatch(request, watcher)
      },
    })
    this.#keeper.open.add(watch)
    if (options.signal !== undefined) {
      const abort = (cause: unknown) => {
        watch.fail(new ZooKeeperError('ABORTED', { op: 'watch', path, cause }))
      }
      stopSignal = this.#keeper.signals.add(options.signal, { abort })
    }
    return watch
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
    const patient = { signal, timeout: Infinity }
    return observe({
      watch: () => this.watch(path, patient),
      read: () => this.getData(path, patient),
      untilServed: () => this.#untilServed(patient),
    })
  }

  // --- The client itself ------------------------------------------------------------------------

  /** The clocks, timers and dice of this client, for recipes: a simulation has its own. */
  get runtime(): RecipeRuntime {
    return this.#keeper.runtime
  }

  /** What the client knows of its session now. */
  get state(): State {
    return this.#keeper.states.current
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

  /** Resolves once the client is in `state`: at once if it is. Rejects with `CLOSED` or `AUTH_FAILED`
   * if it never will be. */
  waitFor(state: State, options: CallOptions = {}): Promise<void> {
    return this.#keeper.waitFor([state], options)
  }

  /** Every change of state from now on; ends after the last one. */
  states(): EventStream<StateChange> {
    return this.#keeper.states.changes()
  }

  /**
   * Takes on an identity, on this connection and on every later one. Resolves when a server has
   * accepted it. A rejected identity ends the client: state `auth-failed`, and every call rejects with
   * `AUTH_FAILED`. `digest` never fails, since any user and password are an identity.
   *
   * @throws {ZooKeeperError} `BAD_ARGUMENTS` for `digest` to a host other than loopback, unless the
   * client was made with `allowInsecureAuth`: the password would cross the network as it is.
   */
  async addAuth(scheme: string, auth: string | Uint8Array): Promise<void> {
    const { allowInsecureAuth, target } = this.#keeper.options
    checkAuth(scheme, target.hosts, allowInsecureAuth)
    await this.#keeper.addAuth(scheme, Buffer.from(auth as Uint8Array))
  }

  /**
   * Ends the session and the client. Calls that were not written reject with `CLOSED`; those that were
   * may still be answered until the server answers the closeSession, for `closeGrace` milliseconds at
   * most. Ephemerals vanish at once if the server heard it, else when the session expires. Idempotent;
   * never rejects; leaves no handle behind.
   */
  close(): Promise<void> {
    return this.#keeper.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // --- Below the surface ------------------------------------------------------------------------

  #read<T>(
    operation: Operation,
    path: string,
    shape: Shape<T>,
    options: (CallOptions & WatchOption) | undefined,
  ): Promise<T> {
    const watch = options?.watch
    const watcher = watch === undefined ? null : this.#localWatcher(watch)
    const request = () => ({ path: this.#requests.path(path), watch: watcher !== null })
    return this.#call(operation, request, shape, options, watcher)
  }

  /** The one way of every call: exactly one promise, and a throw inside rejects it. */
  #call<T>(
    operation: Operation,
    requestOf: () => { readonly path: string },
    shape: Shape<T>,
    options: CallOptions | undefined,
    watcher: Watcher | null = null,
  ): Promise<T> {
    return new Promise((resolve) => {
      if (options !== undefined) checkOptions(options)
      const request = requestOf()
      const { chroot } = this.#requests
      this.#keeper.send(
        new Request(operation, request, request.path, watcher, chroot, shape, resolve),
        options,
      )
    })
  }

  #untilServed(options: CallOptions): Promise<void> {
    return this.#keeper.waitFor(['connected', 'read-only'], options)
  }

  readonly #commit = (
    parts: readonly MultiPart[],
    paths: readonly string[],
    options: CallOptions | undefined,
  ): Promise<MultiResult[]> => {
    return new Promise((resolve) => {
      if (options !== undefined) checkOptions(options)
      this.#keeper.send(new MultiCall(parts, paths, resolve), options)
    })
  }

  /** Shows a watcher the paths that its owner knows. */
  #localWatcher(watcher: Watcher): Watcher {
    const { chroot } = this.#requests
    if (chroot === '') return watcher
    return (event) => {
      watcher({ ...event, path: stripChroot(chroot, event.path) })
    }
  }

  /** Takes a persistent watch back, and tells the server when it was the last watch of its path. */
  #forgetWatch({ path, mode }: records.AddWatchRequest, watcher: Watcher): void {
    const { watches } = this.#keeper.session
    watches.remove(tableOfMode(mode), path, watcher)
    if (watches.isWatched(path) || this.state !== 'connected') return
    // "Any" is what every server from 3.6 on understands, and nothing else is watched there.
    const request = { path, type: WatcherType.Any }
    this.#call(operations.removeWatches, () => request, nothing, undefined).catch(() => undefined)
  }
}

const asIs = <T>(response: T): T => response
const nothing = (): void => undefined
const statOf = ({ stat }: { readonly stat: Stat }): Stat => stat
const createdOf = ({ path, stat }: records.Create2Response, chroot: string): CreateResult => {
  return { path: stripChroot(chroot, path), stat }
}

function checkOptions({ timeout }: CallOptions): void {
  if (timeout !== undefined) positive('timeout', timeout)
}
