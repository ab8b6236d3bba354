import { ZooKeeperError } from '../protocol/errors.ts'
import { type MultiResult } from '../protocol/multi.ts'
import { type Operation, operations } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import { type CallTrace } from '../session/call.ts'
import { type Watcher, type WatchEvent } from '../session/watches.ts'
import { type SyncOption } from './sync-option.ts'
import { type AuthOption } from './auth-option.ts'
import { type CallPart, MultiCall } from './multi-call.ts'
import { positive } from './numbers.ts'
import { type CallOptions } from './options.ts'
import { type AbandonableCall, type CallOwner, Request, type Shape } from './request.ts'
import { owned, Requests } from './requests.ts'
import { mayRetry, retrying } from './retry.ts'
import { type Ending, type SessionKeeper } from './session-keeper.ts'
import { type State, States } from './states.ts'
import { isTraced, traced } from './tracing.ts'
import { Gate, RevocableRead } from './watch-signal.ts'
import { nameWatcher } from './watcher-names.ts'
import { nothing } from './shapes.ts'

/** For reads that set a watch. */
export interface WatchOption {
  /**
   * Sets a one-shot watch and calls this when it fires, once, in a microtask of its own. It is set
   * again on reconnects, and fires if the next server finds a change: what has come about and gone again
   * without a link (a znode that was missing, created and deleted) is told to nobody. If its session
   * expires it is called with `session-expired`, if the client or the view ends with `closed`. What it
   * throws goes to the `logger`.
   */
  readonly watch?: ((event: WatchEvent) => void) | undefined
  /**
   * Takes the watch back when it fires, like the `signal` of `addEventListener`: the callback is not
   * called any more, and the server stops watching unless somebody else needs it to. The call itself
   * goes on.
   */
  readonly watchSignal?: AbortSignal | undefined
}

/** To tell the watches of one view from those of others; the view of a client keeps none. */
const owners = new WeakMap<Watcher, View>()

/**
 * The way of every call from a client to its session and back: paths in, paths out. A client has one
 * view, and may have further ones of the same session, each with its chroot, its watches and its end.
 */
export class View implements CallOwner, Ending {
  readonly keeper: SessionKeeper
  readonly requests: Requests
  readonly chroot: string
  readonly states: States
  /** What ends with it: iterators, and the views that it was asked for. */
  readonly open: Set<Ending>
  /** The view of the client itself has none: it ends with the session. */
  readonly #parent: View | null
  #isClosed = false
  #absolute: View | null = null

  constructor(keeper: SessionKeeper, chroot: string, parent: View | null = null) {
    this.keeper = keeper
    this.chroot = chroot
    this.requests = new Requests(chroot, keeper.options.acl)
    this.#parent = parent
    this.states = parent === null ? keeper.states : States.of(parent.states)
    this.open = parent === null ? keeper.open : new Set()
    if (parent === null) return
    this.#isClosed = parent.#isClosed
    if (!this.#isClosed) parent.open.add(this)
  }

  /** A view of what lies below `path`. It ends with this one at the latest. */
  below(path: string): View {
    const chroot = this.requests.path(path)
    return new View(this.keeper, chroot === '/' ? '' : chroot, this)
  }

  /** What this view is, for paths that no chroot applies to. */
  get absolute(): View {
    this.#absolute ??= this.chroot === '' ? this : new View(this.keeper, '', this)
    return this.#absolute
  }

  /** The view that is left when this one has ended. */
  get base(): View {
    return this.#parent?.base ?? this
  }

  /** Ends the view, and the session only if it is the client's own. */
  close(): Promise<void> {
    if (this.#parent === null) return this.keeper.close()
    this.end()
    return Promise.resolve()
  }

  end(): void {
    this.#finish((one) => {
      one.end()
    })
  }

  fail(error: unknown): void {
    this.#finish((one) => {
      one.fail(error)
    })
  }

  #finish(finish: (one: Ending) => void): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parent?.open.delete(this)
    for (const one of [...this.open]) finish(one)
    if (this.keeper.endCode !== null) return // then all calls and watches end
    const { session } = this.keeper
    session.pipeline.abandonAll((call) => call instanceof Request && call.owner === this, 'CLOSED')
    session.pipeline.watches.endOneShots((watcher) => this.owns(watcher))
    this.keeper.wake()
    this.states.close(session.id)
  }

  /** Exactly one promise, and a throw inside rejects it. */
  call<T>(
    operation: Operation,
    requestOf: () => { readonly path: string },
    shape: Shape<T>,
    options: CallOptions | undefined,
    watcher: Watcher | null = null,
  ): Promise<T> {
    return mayRetry(this, options)
      ? this.#callRetrying(operation, requestOf, shape, options, watcher)
      : this.#callOnce(operation, requestOf, shape, options, watcher)
  }

  // What every call goes through has no closure but those it needs: each one that might be needed
  // would cost an allocation at every call.

  #callRetrying<T>(
    operation: Operation,
    requestOf: () => { readonly path: string },
    shape: Shape<T>,
    options: CallOptions | undefined,
    watcher: Watcher | null,
  ): Promise<T> {
    return this.#retrying(operation, requestOf, options, (request, limits) =>
      this.#callOnce(operation, request, shape, limits, watcher),
    )
  }

  #retrying<T>(
    operation: Operation,
    requestOf: () => { readonly path: string },
    options: CallOptions | undefined,
    attempt: (
      requestOf: () => { readonly path: string },
      limits: CallOptions | undefined,
    ) => Promise<T>,
  ): Promise<T> {
    return retrying(this, operation, options, () => {
      const request = owned(requestOf())
      return {
        path: this.#localPath(request.path),
        attempt: (left) => attempt(() => request, left),
      }
    })
  }

  #callOnce<T>(
    operation: Operation,
    requestOf: () => { readonly path: string },
    shape: Shape<T>,
    options: CallOptions | undefined,
    watcher: Watcher | null,
    trace: CallTrace | null = null,
  ): Promise<T> {
    return new Promise((resolve) => {
      if (options !== undefined) checkOptions(options)
      const request = requestOf()
      if (trace === null && isTraced()) {
        resolve(this.#callTraced(operation, request, shape, options, watcher))
        return
      }
      const call = new Request(this, operation, request, request.path, watcher, shape, resolve)
      if (trace !== null) call.trace = trace
      this.#send(call, options)
    })
  }

  #callTraced<T>(
    operation: Operation,
    request: { readonly path: string },
    shape: Shape<T>,
    options: CallOptions | undefined,
    watcher: Watcher | null,
  ): Promise<T> {
    return traced(operation.name, this.#localPath(request.path), (trace) =>
      this.#callOnce(operation, () => request, shape, options, watcher, trace),
    )
  }

  #localPath(path: string): string | null {
    return path === '' ? null : stripChroot(this.chroot, path)
  }

  /** A read that may set a watch. */
  read<T>(
    operation: Operation,
    path: string,
    shape: Shape<T>,
    options: (CallOptions & WatchOption & SyncOption) | undefined,
  ): Promise<T> {
    if (options?.sync === true) return this.#readFresh(operation, path, shape, options)
    if (options?.watch !== undefined) return this.#readWatching(operation, path, shape, options)
    return this.call(operation, () => this.#readOf(path, false), shape, options)
  }

  #readOf(path: string, watch: boolean): { readonly path: string; readonly watch: boolean } {
    return { path: this.requests.path(path), watch }
  }

  #readFresh<T>(
    operation: Operation,
    path: string,
    shape: Shape<T>,
    options: CallOptions & WatchOption & SyncOption,
  ): Promise<T> {
    const unsynced = { ...options, sync: false }
    return this.fresh(path, options, () => this.read(operation, path, shape, unsynced))
  }

  #readWatching<T>(
    operation: Operation,
    path: string,
    shape: Shape<T>,
    options: CallOptions & WatchOption,
  ): Promise<T> {
    const { watch, watchSignal } = options
    if (watchSignal?.aborted === true) {
      return this.call(operation, () => this.#readOf(path, false), shape, options)
    }
    const requestOf = () => this.#readOf(path, true)
    if (watchSignal === undefined) {
      return this.call(operation, requestOf, shape, options, this.watcher(watch!))
    }
    const attempt = (once: () => { readonly path: string }, limits: CallOptions | undefined) =>
      this.#readRevocably(operation, once, shape, limits, new Gate(watch!), watchSignal)
    return mayRetry(this, options)
      ? this.#retrying(operation, requestOf, options, attempt)
      : attempt(requestOf, options)
  }

  #readRevocably<T>(
    operation: Operation,
    requestOf: () => { readonly path: string },
    shape: Shape<T>,
    options: CallOptions | undefined,
    gate: Gate,
    signal: AbortSignal,
  ): Promise<T> {
    return new Promise((resolve) => {
      if (options !== undefined) checkOptions(options)
      const request = requestOf()
      const watcher = this.watcher(gate.tell)
      const call = [this, operation, request, request.path, watcher, shape, resolve] as const
      const read = new RevocableRead(...call)
      read.revokeAt(signal, gate, this.keeper)
      this.#send(read, options)
    })
  }

  /** A read behind a sync, both on their way at once: servers answer a session in order. */
  async fresh<T>(path: string, options: CallOptions, read: () => Promise<T>): Promise<T> {
    const request = { path: this.requests.path(path) }
    const synced = this.call(operations.sync, () => request, nothing, options)
    const [, value] = await Promise.all([synced, read()])
    return value
  }

  /** Several operations in one request. */
  multi(
    operation: Operation,
    parts: readonly CallPart[],
    options: CallOptions | undefined,
  ): Promise<readonly MultiResult[]> {
    if (!mayRetry(this, options)) return this.#multiOnce(operation, parts, options)
    return retrying(this, operation, options, () => {
      const own = parts.map((part) => ({ ...part, request: owned(part.request) }))
      return { path: null, attempt: (left) => this.#multiOnce(operation, own, left) }
    })
  }

  #multiOnce(
    operation: Operation,
    parts: readonly CallPart[],
    options: CallOptions | undefined,
    trace: CallTrace | null = null,
  ): Promise<readonly MultiResult[]> {
    return new Promise((resolve) => {
      if (options !== undefined) checkOptions(options)
      const call = new MultiCall(this, operation, parts, resolve)
      if (trace === null && isTraced()) {
        const send = (open: CallTrace) => this.#multiOnce(operation, parts, options, open)
        resolve(traced(operation.name, this.#localPath(call.path), send))
        return
      }
      if (trace !== null) call.trace = trace
      this.#send(call, options)
    })
  }

  /** Shows a watcher the paths that its owner knows. */
  watcher(watcher: Watcher): Watcher {
    const { chroot } = this
    if (chroot === '' && this.#parent === null) return watcher
    const local: Watcher = (event) => {
      watcher({ ...event, path: stripChroot(chroot, event.path) })
    }
    owners.set(local, this)
    nameWatcher(local, watcher)
    return local
  }

  /** Whether a watcher is one of those that {@link watcher} gave out, here and in no other view. */
  owns(watcher: Watcher): boolean {
    return (owners.get(watcher) ?? this.base) === this
  }

  /** Resolves when there is a server to ask. */
  untilServed(options: CallOptions): Promise<void> {
    return this.waitFor(['connected', 'read-only'], options)
  }

  waitFor(states: readonly State[], options: CallOptions): Promise<void> {
    return this.keeper.waitFor(states, options, this.states)
  }

  async addAuth(scheme: string, auth: AuthOption): Promise<void> {
    if (this.#isClosed) {
      throw new ZooKeeperError(this.keeper.endCode ?? 'CLOSED', { op: 'addAuth' })
    }
    await this.keeper.addAuth(scheme, auth)
  }

  #send(request: AbandonableCall, options: CallOptions | undefined): void {
    if (this.#isClosed) {
      request.fail({ code: this.keeper.endCode ?? 'CLOSED', outcome: 'not-applied' })
    } else {
      this.keeper.send(request, options)
    }
  }
}

function checkOptions({ timeout }: CallOptions): void {
  if (timeout !== undefined) positive('timeout', timeout)
}
