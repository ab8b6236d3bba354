/** How persistent watches come to be, and how watches are looked for and taken back. */
import { AddWatchMode, WatcherType } from '../protocol/constants.ts'
import { isZooKeeperError, ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type TableName, tableOfMode, type WatchEvent } from '../session/watches.ts'
import { type CallOptions } from './options.ts'
import { patiently } from './patience.ts'
import { type View } from './view.ts'
import { Watch } from './watch.ts'
import { givenWatcher } from './watcher-names.ts'

/** How to watch for longer than one event. */
export interface WatchOptions extends CallOptions {
  /** Whether to watch all descendants, too. Default false. */
  readonly recursive?: boolean
}

export function openWatch(view: View, path: string, options: WatchOptions): Watch {
  const { keeper } = view
  const mode = options.recursive === true ? 'persistent-recursive' : 'persistent'
  const request = { path: view.requests.path(path), mode: AddWatchMode[mode] }
  let stopSignal = nothing
  const watch: Watch = new Watch(path, keeper.options.watchBufferMax, {
    arm: (watcher) => {
      const local = view.watcher(watcher)
      const add = () => view.call(operations.addWatch, () => request, nothing, options, local)
      return { ready: patiently(add, () => view.untilServed(options)), watcher: local }
    },
    dropped: () => {
      keeper.reporter.dropped(request.path)
    },
    disarm: (watcher) => {
      stopSignal()
      view.open.delete(watch)
      keeper.unwatch([tableOfMode(request.mode)], request.path, (one) => one === watcher)
    },
  })
  view.open.add(watch)
  if (options.signal !== undefined) {
    const abort = (cause: unknown) => {
      watch.fail(new ZooKeeperError('ABORTED', { op: 'watch', path, cause }))
    }
    stopSignal = keeper.signals.add(options.signal, { abort })
  }
  return watch
}

/** Which watches of a path are meant, in the words of ZooKeeper's `WatcherType`. */
export type WatcherKind = 'data' | 'children' | 'persistent' | 'persistent-recursive' | 'any'

export interface CheckWatchesOptions extends CallOptions {
  /** Default `'any'`. `'data'` is what `getData` and `exists` set. */
  readonly kind?: WatcherKind
}

export interface RemoveWatchesOptions extends CallOptions {
  /** Default `'any'`. `'data'` is what `getData` and `exists` set. */
  readonly kind?: WatcherKind
  /** The callback to take back. Default: all of them. */
  readonly watcher?: (event: WatchEvent) => void
  /**
   * Resolve although the server refuses to stop watching, because it is too old, say: what it still
   * tells is ignored. Default false.
   */
  readonly local?: boolean
}

const typeOfKind: Readonly<Record<WatcherKind, number>> = {
  data: WatcherType.Data,
  children: WatcherType.Children,
  persistent: WatcherType.Persistent,
  'persistent-recursive': WatcherType.PersistentRecursive,
  any: WatcherType.Any,
}

/** Older servers cannot be asked for these by name: they answer `MARSHALLING_ERROR`. */
const kindsOf39: readonly WatcherKind[] = ['persistent', 'persistent-recursive']

export async function checkWatches(
  view: View,
  path: string,
  { kind = 'any', ...options }: CheckWatchesOptions,
): Promise<boolean> {
  const op = 'checkWatches'
  const type = typeOfKind[kind] as number | undefined
  if (type === undefined) throw refusal(`"${kind}" is no kind of watch`, op)
  const request = () => ({ path: view.requests.path(path), type })
  try {
    await view.call(operations.checkWatches, request, nothing, options)
    return true
  } catch (error) {
    if (isZooKeeperError(error, 'NO_WATCHER')) return false
    if (!isZooKeeperError(error, 'MARSHALLING_ERROR') || !kindsOf39.includes(kind)) throw error
    const { server, sessionId } = error
    const context = { op, path, server, sessionId, since: '3.9', cause: error }
    throw new ZooKeeperError('UNIMPLEMENTED', context)
  }
}

const tablesOfKind: Readonly<Record<WatcherKind, readonly TableName[]>> = {
  data: ['data', 'exist'],
  children: ['child'],
  persistent: ['persistent'],
  'persistent-recursive': ['recursive'],
  any: ['data', 'exist', 'child', 'persistent', 'recursive'],
}

export function removeWatches(
  view: View,
  path: string,
  { kind = 'any', watcher, local = false, ...limits }: RemoveWatchesOptions,
): Promise<void> {
  const { keeper } = view
  const op = 'removeWatches'
  return keeper.wait(op, limits, (end) => {
    const tables = tablesOfKind[kind] as readonly TableName[] | undefined
    if (tables === undefined) throw refusal(`"${kind}" is no kind of watch`, op)
    const there = view.requests.path(path)
    const removed = keeper.unwatch(
      tables,
      there,
      (one) => view.owns(one) && (watcher === undefined || givenWatcher(one) === watcher),
      (failure) => {
        const isOver = failure === null || local
        end(isOver ? undefined : new ZooKeeperError(failure.code, { ...failure, op, path }))
      },
    )
    if (removed.length === 0) throw new ZooKeeperError('NO_WATCHER', { op, path })
    keeper.session.watches.tellRemoved(removed, there)
  })
}

function refusal(detail: string, op: string): ZooKeeperError {
  return new ZooKeeperError('BAD_ARGUMENTS', { op, detail })
}

const nothing = (): void => undefined
