/**
 * What the server of the present connection watches for us, and what it must be asked so that it
 * watches neither less than somebody wants nor more.
 *
 * Servers before 3.9 keep one mode per path and connection: a read with a one-shot watch makes one of a
 * persistent watch, and a recursive watch swallows what concerns children. So on every server a path
 * gets one watch, the strongest that somebody wants, and weaker wishes live on its events:
 *
 *     one-shots  <  persistent  <  recursive
 *
 * What a recursive watch does not tell, that the children of its path have changed, follows from what it
 * tells of the children themselves.
 */
import { AddWatchMode, EventType, WatcherType } from '../protocol/constants.ts'
import { parentPath } from '../protocol/path.ts'
import { type AddWatchRequest, type SetWatches2, type WatcherEvent } from '../protocol/records.ts'
import { type Call, type Failure } from './call.ts'
import { type OneShot, PathState, type Step } from './path-state.ts'
import { UpkeepCall } from './upkeep-call.ts'
import { type Mode, type TableName, tableOfMode, type Watcher, type Watches } from './watches.ts'

/** What a connection does for the watches on it. */
export interface WatchLink {
  lastZxid(): bigint
  submit(call: Call): void
  /** A watch that somebody waits for could not be set. */
  lose(failure: Failure): void
}

export class ServerWatches {
  /** Who wants to hear of what, whichever server tells it. */
  readonly wanted: Watches
  /** Paths with a persistent watch, with a request about watches in flight, or with one to come. */
  readonly #states = new Map<string, PathState>()
  readonly #link: WatchLink
  #isAttached = false
  /** The persistent watches, by table and path, whose owners know that they have missed something. */
  #unarmed = new Set<string>()
  #derivedPath = ''
  #derivedZxid: bigint | null = null

  constructor(wanted: Watches, link: WatchLink) {
    this.wanted = wanted
    this.#link = link
  }

  /** Paths on which the server has a persistent watch, or on which something is under way. */
  get size(): number {
    return this.#states.size
  }

  // --- Connections ------------------------------------------------------------------------------

  /**
   * A new connection knows of no watch. Owners of persistent ones are told to read again, once for each
   * gap: what they read from now on is read behind the watches.
   *
   * @returns what it must be told before anything else, in chunks.
   */
  attach(frameBytesMax: number): SetWatches2[] {
    this.#isAttached = true
    // A gap is forgotten with its owners: whoever comes to watch there later does not know of it.
    const known = this.#unarmed
    this.#unarmed = new Set()
    for (const mode of ['persistent', 'recursive'] as const) {
      for (const path of this.wanted.paths(mode)) {
        this.#stateOf(path).mode = mode // the stronger one comes last, here and on the server
        const key = keyOf(mode, path)
        if (!known.has(key)) this.wanted.resync(mode, path)
        this.#unarmed.add(key)
      }
    }
    return this.wanted.registrations(this.#link.lastZxid(), frameBytesMax)
  }

  /** The server has set the watches of a chunk: if they are lost again, that is another gap. */
  armed({ persistentWatches, persistentRecursiveWatches }: SetWatches2): void {
    for (const path of persistentWatches) this.#unarmed.delete(keyOf('persistent', path))
    for (const path of persistentRecursiveWatches) this.#unarmed.delete(keyOf('recursive', path))
  }

  /**
   * What was read since a gap was told has failed: whoever reads again then must be told again, or what
   * came in between is missing from what it knows.
   */
  forgetGaps(): void {
    this.#unarmed.clear()
  }

  /** The server does not know persistent watches: those who have some of these must know. */
  endPersistent({ persistentWatches, persistentRecursiveWatches }: SetWatches2): void {
    for (const [mode, paths] of [
      ['persistent', persistentWatches],
      ['recursive', persistentRecursiveWatches],
    ] as const) {
      for (const path of paths) {
        this.#states.delete(path)
        this.#unarmed.delete(keyOf(mode, path))
        this.wanted.endPersistent(mode, path)
      }
    }
  }

  /** The connection is gone, and with it all that its server watched for us. */
  detach(): void {
    this.#isAttached = false
    const states = [...this.#states.values()]
    this.#states.clear()
    for (const state of states) state.tellSettled(null)
  }

  // --- Requests that set watches ------------------------------------------------------------------

  /**
   * The request to send for a call that sets a watch, such that it takes nothing from the watch that
   * the server has by then; null if the call has become needless.
   */
  shape(call: Call): unknown {
    if (call instanceof UpkeepCall) return this.#shapeUpkeep(call)
    const mode = this.#states.get(call.path)?.modeAsked ?? null
    if (call.operation.watch === 'persistent') {
      const wanted = tableOfMode((call.request as AddWatchRequest).mode)
      call.asked = mode === 'recursive' ? mode : wanted
      return addWatchRequest(call.path, call.asked)
    }
    call.asked = mode === null && call.watcher !== null ? 'oneShot' : 'nothing'
    return call.asked === 'oneShot' ? call.request : { ...(call.request as object), watch: false }
  }

  /** Its frame is in the batch. */
  sent(call: Call): void {
    this.#stateOf(call.path).inFlight.push(call)
  }

  /** Its frame was taken out of the batch again. */
  unsent(call: Call): void {
    const state = this.#states.get(call.path)!
    state.forget(call)
    this.#reconcile(call.path, state)
  }

  /** Its answer is in: whether that was the watch, and whether there is a watcher that waits for it. */
  answered(call: Call, isSet: boolean, isWanted: boolean): void {
    const state = this.#states.get(call.path)!
    state.forget(call)
    if (call instanceof UpkeepCall) return // the call itself tells what comes of it
    if (isSet) this.#note(call, state, isWanted)
    this.#reconcile(call.path, state)
  }

  // --- Events -------------------------------------------------------------------------------------

  /** Tells everyone whom a notification concerns. @returns whether that is anyone. */
  notify(event: WatcherEvent, zxid: bigint | null): boolean {
    const { type, path } = event
    if (type === EventType.NodeChildrenChanged && this.#isDerived(path, zxid)) return true
    const isWanted = this.wanted.notify(event, zxid)
    if (this.#states.size > 0) this.#followUp(event, zxid)
    return isWanted
  }

  #followUp(event: WatcherEvent, zxid: bigint | null): void {
    this.#look(event.path)
    if (event.path !== '/' && birthsAndDeaths.has(event.type)) {
      this.#derive(event, parentPath(event.path), zxid)
    }
  }

  // --- Taking back ----------------------------------------------------------------------------------

  /**
   * Takes watchers of a path back: they are not called any more. `settled` is told once the server
   * watches no more than is wanted, which it does at once without a connection, or why it goes on.
   *
   * @returns those that were taken back.
   */
  unwatch(
    tables: readonly TableName[],
    path: string,
    matches: (watcher: Watcher) => boolean,
    settled?: (failure: Failure | null) => void,
  ): Watcher[] {
    const found = tables.map((table) => this.wanted.remove(table, path, matches))
    const emptied = tables.filter((_, index) => found[index]!.length > 0)
    if (emptied.length > 0) this.#release(emptied, path, settled)
    return found.flat()
  }

  /** Tells one-shot watchers that their end has come, and takes them back. */
  endOneShots(concerns: (watcher: Watcher) => boolean): void {
    for (const { table, path } of this.wanted.endOneShots('closed', concerns)) {
      this.#release([table], path)
    }
  }

  #release(
    tables: readonly TableName[],
    path: string,
    settled?: (failure: Failure | null) => void,
  ): void {
    if (!this.#isAttached) {
      settled?.(null) // there is no server that could watch for us
      return
    }
    const state = this.#stateOf(path)
    if (tables.includes('child')) state.surplus.add('child')
    if (tables.includes('data') || tables.includes('exist')) state.surplus.add('data')
    if (settled !== undefined) state.waiting.push(settled)
    this.#reconcile(path, state)
  }

  // --- Upkeep -----------------------------------------------------------------------------------------

  #stateOf(path: string): PathState {
    let state = this.#states.get(path)
    if (state === undefined) this.#states.set(path, (state = new PathState()))
    return state
  }

  #note({ asked, operation }: Call, state: PathState, isWanted: boolean): void {
    if (asked === 'persistent' || asked === 'recursive') {
      state.mode = asked
      if (asked === 'recursive') state.isWeakened = false
    } else if (asked === 'oneShot' && !isWanted) {
      state.surplus.add(operation.watch as OneShot)
    } else if (asked === 'nothing' && isWanted && state.mode === null) {
      // It relied on a watch that did not come to be.
      state.uncoveredZxid ??= this.#link.lastZxid()
    }
  }

  #look(path: string): void {
    const state = this.#states.get(path)
    if (state !== undefined) this.#reconcile(path, state)
  }

  /** One step at a time: what is in flight may change what is left to do. */
  #reconcile(path: string, state: PathState): void {
    if (state.isBusy || state.inFlight.length > 0) return
    const step = this.#nextStep(path, state)
    if (step === null) {
      this.#settle(path, state, null)
    } else {
      state.isBusy = true
      this.#link.submit(new UpkeepCall(step, path, state, this.#finish))
    }
  }

  #nextStep(path: string, state: PathState): Step | null {
    const { mode, surplus } = state
    if (!this.wanted.isWatched(path)) {
      return mode === null && surplus.size === 0 ? null : 'removeAll'
    }
    // A recursive watch tells far more than a persistent one, so it goes although it would do.
    if (mode === 'recursive' && !this.wanted.has(['recursive'], path)) return 'weaken'
    if (mode !== null) return state.isWeakened ? 'removeRecursive' : null
    if (state.uncoveredZxid !== null) return 'arm'
    if (surplus.has('child') && !this.wanted.has(['child'], path)) return 'removeChildren'
    const isData = this.wanted.has(['data', 'exist'], path)
    return surplus.has('data') && !isData ? 'removeData' : null
  }

  /** It may have waited, and something else may be due by now. */
  #shapeUpkeep({ path, state, step }: UpkeepCall): unknown {
    if (this.#states.get(path) !== state) return null
    if (state.inFlight.length === 0 && this.#nextStep(path, state) === step) {
      return this.#requestOf(step, path, state)
    }
    state.isBusy = false
    this.#reconcile(path, state)
    return null
  }

  #requestOf(step: Step, path: string, { uncoveredZxid }: PathState): unknown {
    if (step === 'arm') return this.wanted.registrationOf(path, uncoveredZxid!)
    if (step === 'weaken') return addWatchRequest(path, 'persistent')
    return { path, type: removedTypes[step] }
  }

  readonly #finish = ({ path, state, step }: UpkeepCall, failure: Failure | null): void => {
    state.isBusy = false
    if (this.#states.get(path) !== state) return
    const isDone = failure === null || isHarmless(failure)
    // What a server does not remove now, it will not remove later; what it does not set must be set.
    if (isDone || step.startsWith('remove')) state.take(step)
    if (isDone) this.#reconcile(path, state)
    else if (step === 'arm') this.#link.lose(failure)
    else this.#settle(path, state, failure)
  }

  #settle(path: string, state: PathState, failure: Failure | null): void {
    if (state.mode === null) this.#states.delete(path)
    else state.surplus.clear() // there is one watch, which serves all
    state.tellSettled(failure)
  }

  #derive(event: WatcherEvent, parent: string, zxid: bigint | null): void {
    if (this.#states.get(parent)?.mode !== 'recursive') return
    this.#derivedPath = parent
    this.#derivedZxid = zxid
    this.wanted.notify({ ...event, type: EventType.NodeChildrenChanged, path: parent }, zxid)
    this.#look(parent)
  }

  /** From 3.9 on a server may tell by itself what was derived from the notification before it. */
  #isDerived(path: string, zxid: bigint | null): boolean {
    return zxid !== null && zxid === this.#derivedZxid && path === this.#derivedPath
  }
}

const birthsAndDeaths: ReadonlySet<number> = new Set([EventType.NodeCreated, EventType.NodeDeleted])

function keyOf(mode: Mode, path: string): string {
  return `${mode} ${path}`
}

function addWatchRequest(path: string, mode: Mode): AddWatchRequest {
  const { persistent, 'persistent-recursive': recursive } = AddWatchMode
  return { path, mode: mode === 'persistent' ? persistent : recursive }
}

/** Servers before 3.9 do not know the last type: there one watch has replaced the other. */
const removedTypes = {
  removeAll: WatcherType.Any,
  removeData: WatcherType.Data,
  removeChildren: WatcherType.Children,
  removeRecursive: WatcherType.PersistentRecursive,
} as const

/** There was nothing to remove, or nothing that this server could have. */
function isHarmless({ code }: Failure): boolean {
  return code === 'NO_WATCHER' || code === 'MARSHALLING_ERROR'
}
