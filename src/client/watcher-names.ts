import { type Watcher } from '../session/watches.ts'

/** By which function the user knows a watcher that we wrapped. */
const given = new WeakMap<Watcher, Watcher>()

/** Notes that `watcher` stands for what `of` stands for. */
export function nameWatcher(watcher: Watcher, of: Watcher): void {
  given.set(watcher, givenWatcher(of))
}

/** The function that the user gave. */
export function givenWatcher(watcher: Watcher): Watcher {
  return given.get(watcher) ?? watcher
}
