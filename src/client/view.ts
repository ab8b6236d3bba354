import { type MultiResult } from '../protocol/multi.ts'
import { type Operation } from '../protocol/operations.ts'
import { stripChroot } from '../protocol/path.ts'
import { type Watcher, type WatchEvent } from '../session/watches.ts'
import { type CallPart, MultiCall } from './multi-call.ts'
import { type CallOptions, positive } from './options.ts'
import { Request, type Shape } from './request.ts'
import { Requests } from './requests.ts'
import { type SessionKeeper } from './session-keeper.ts'

/** For reads that set a watch. */
export interface WatchOption {
  /**
   * Sets a one-shot watch and calls this when it fires, once, in a microtask of its own. It is set
   * again on reconnects; if its session expires it is called with `session-expired`, if the client
   * ends with `closed`. What it throws goes to the `logger`.
   */
  readonly watch?: ((event: WatchEvent) => void) | undefined
}

/** The way of every call from a client to its session and back: paths in, paths out. */
export class View {
  readonly keeper: SessionKeeper
  readonly requests: Requests
  readonly chroot: string

  constructor(keeper: SessionKeeper, chroot: string) {
    this.keeper = keeper
    this.chroot = chroot
    this.requests = new Requests(chroot, keeper.options.acl)
  }

  /** Exactly one promise, and a throw inside rejects it. */
  call<T>(
    operation: Operation,
    requestOf: () => { readonly path: string },
    shape: Shape<T>,
    options: CallOptions | undefined,
    watcher: Watcher | null = null,
  ): Promise<T> {
    return new Promise((resolve) => {
      if (options !== undefined) checkOptions(options)
      const request = requestOf()
      this.keeper.send(
        new Request(this, operation, request, request.path, watcher, shape, resolve),
        options,
      )
    })
  }

  /** A read that may set a watch. */
  read<T>(
    operation: Operation,
    path: string,
    shape: Shape<T>,
    options: (CallOptions & WatchOption) | undefined,
  ): Promise<T> {
    const watch = options?.watch
    const watcher = watch === undefined ? null : this.watcher(watch)
    const request = () => ({ path: this.requests.path(path), watch: watcher !== null })
    return this.call(operation, request, shape, options, watcher)
  }

  /** Several operations in one request. */
  multi(
    operation: Operation,
    parts: readonly CallPart[],
    options: CallOptions | undefined,
  ): Promise<readonly MultiResult[]> {
    return new Promise((resolve) => {
      if (options !== undefined) checkOptions(options)
      this.keeper.send(new MultiCall(this, operation, parts, resolve), options)
    })
  }

  /** Shows a watcher the paths that its owner knows. */
  watcher(watcher: Watcher): Watcher {
    const { chroot } = this
    if (chroot === '') return watcher
    return (event) => {
      watcher({ ...event, path: stripChroot(chroot, event.path) })
    }
  }

  /** Resolves when there is a server to ask. */
  untilServed(options: CallOptions): Promise<void> {
    return this.keeper.waitFor(['connected', 'read-only'], options)
  }
}

function checkOptions({ timeout }: CallOptions): void {
  if (timeout !== undefined) positive('timeout', timeout)
}
