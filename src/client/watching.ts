/** How a persistent watch comes to be and to its end on a server. */
import { AddWatchMode, WatcherType } from '../protocol/constants.ts'
import { ZooKeeperError } from '../protocol/errors.ts'
import { operations } from '../protocol/operations.ts'
import { type AddWatchRequest } from '../protocol/records.ts'
import { tableOfMode, type Watcher } from '../session/watches.ts'
import { type CallOptions } from './options.ts'
import { patiently } from './patience.ts'
import { type View } from './view.ts'
import { Watch } from './watch.ts'

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
    disarm: (watcher) => {
      stopSignal()
      view.open.delete(watch)
      forget(view.base, request, watcher)
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

/** Takes a persistent watch back, and tells the server when it was the last watch of its path. */
function forget(view: View, { path, mode }: AddWatchRequest, watcher: Watcher): void {
  const { session, states } = view.keeper
  session.watches.remove(tableOfMode(mode), path, watcher)
  if (session.watches.isWatched(path) || states.current !== 'connected') return
  // "Any" is what every server from 3.6 on understands, and nothing else is watched there.
  const request = { path, type: WatcherType.Any }
  view.call(operations.removeWatches, () => request, nothing, undefined).catch(nothing)
}

const nothing = (): void => undefined
