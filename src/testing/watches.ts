/**
 * Who is told what. There are two tables, one for what happens to a znode and one for what happens to
 * its children; in each, a connection holds any of three modes per path, or before ZooKeeper 3.9 the
 * last of them.
 *
 * Source: `WatchManager`, `WatchStats`, `DataTree`.
 */
import {
  AddWatchMode,
  EventType,
  parentPath,
  type records,
  WatcherType,
} from '../protocol/index.ts'
import { type Change, type Tree } from './tree.ts'

/** What a watcher is told. */
export interface WatchEvent {
  readonly type: number
  readonly path: string
  /** -1n for what a reconnecting client missed: the change that caused it is not remembered. */
  readonly zxid: bigint
  /** Who may hear of it; null for everybody. */
  readonly acl: readonly records.ACL[] | null
}

/** A connection: watches die with it. */
export interface Watcher {
  /** 0n before its handshake. */
  readonly sessionId: bigint
  notify(event: WatchEvent): void
}

export type WatchMode = 'oneShot' | 'persistent' | 'recursive'

/** One watch, for those who look at the table. */
export interface WatchEntry {
  readonly path: string
  readonly watcher: Watcher
  readonly mode: WatchMode
}

const nobody: ReadonlySet<Watcher> = new Set()

export class Watches {
  readonly #data: WatchTable
  readonly #child: WatchTable
  readonly #hasModes: boolean

  /** Whether a connection can watch a path in several modes, or only in the one that came last. */
  constructor(hasModes = true) {
    this.#hasModes = hasModes
    this.#data = new WatchTable(hasModes)
    this.#child = new WatchTable(hasModes)
  }

  /** What exists and getData leave behind; the znode need not exist. */
  addData(path: string, watcher: Watcher): void {
    this.#data.add(path, watcher, 'oneShot')
  }

  addChild(path: string, watcher: Watcher): void {
    this.#child.add(path, watcher, 'oneShot')
  }

  /** `mode` is an `AddWatchMode`. A recursive watch hears nothing of child changes as such. */
  addPersistent(path: string, watcher: Watcher, mode: number): void {
    if (mode === AddWatchMode['persistent-recursive']) {
      this.#data.add(path, watcher, 'recursive')
      if (!this.#hasModes) this.#child.add(path, watcher, 'recursive')
    } else {
      this.#data.add(path, watcher, 'persistent')
      this.#child.add(path, watcher, 'persistent')
    }
  }

  /** Tells of one change: first about the znode, then about its parent's set of children. */
  fire({ type, path, zxid, acl, parent }: Change): void {
    const told = this.#data.fire({ type, path, zxid, acl }, nobody)
    if (type === EventType.NodeDeleted) this.#child.fire({ type, path, zxid, acl }, told)
    if (parent === null) return
    const childrenChanged = { type: EventType.NodeChildrenChanged, zxid, ...parent }
    this.#child.fire(childrenChanged, nobody)
  }

  /** Arms the watches of a reconnected client, or tells it at once what they would have seen. */
  restore(tree: Tree, request: records.SetWatches, watcher: Watcher): void {
    const tell = (type: number, path: string): void => {
      watcher.notify({ type, path, zxid: -1n, acl: null })
    }
    for (const path of request.dataWatches) {
      const znode = tree.get(path)
      if (znode === undefined) tell(EventType.NodeDeleted, path)
      else if (znode.mzxid > request.relativeZxid) tell(EventType.NodeDataChanged, path)
      else this.addData(path, watcher)
    }
    for (const path of request.existWatches) {
      if (tree.get(path) !== undefined) tell(EventType.NodeCreated, path)
      else this.addData(path, watcher)
    }
    for (const path of request.childWatches) {
      const znode = tree.get(path)
      if (znode === undefined) tell(EventType.NodeDeleted, path)
      else if (znode.pzxid > request.relativeZxid) tell(EventType.NodeChildrenChanged, path)
      else this.addChild(path, watcher)
    }
  }

  /** `type` is a `WatcherType`. Returns whether the watcher, or anybody, has such a watch. */
  has(path: string, watcher: Watcher | null, type: number): boolean {
    return this.#tablesAndModes(type).some(([table, mode]) => table.has(path, watcher, mode))
  }

  /** Returns whether there was anything to remove. */
  remove(path: string, watcher: Watcher, type: number): boolean {
    const removals = this.#tablesAndModes(type).map(([table, mode]) =>
      table.remove(path, watcher, mode),
    )
    return removals.includes(true)
  }

  forget(watcher: Watcher): void {
    this.#data.forget(watcher)
    this.#child.forget(watcher)
  }

  get dataEntries(): WatchEntry[] {
    return this.#data.entries
  }

  get childEntries(): WatchEntry[] {
    return this.#child.entries
  }

  #tablesAndModes(type: number): (readonly [WatchTable, WatchMode | null])[] {
    switch (type) {
      case WatcherType.Children:
        return [[this.#child, this.#hasModes ? 'oneShot' : null]]
      case WatcherType.Data:
        return [[this.#data, this.#hasModes ? 'oneShot' : null]]
      case WatcherType.Persistent:
        return [
          [this.#child, 'persistent'],
          [this.#data, 'persistent'],
        ]
      case WatcherType.PersistentRecursive:
        return [[this.#data, 'recursive']]
      default:
        return [
          [this.#child, null],
          [this.#data, null],
        ]
    }
  }
}

type Modes = Set<WatchMode>

class WatchTable {
  readonly #byPath = new Map<string, Map<Watcher, Modes>>()
  readonly #pathsOf = new Map<Watcher, Set<string>>()
  /** Without recursive watches, ancestors need not be looked up. */
  #recursiveCount = 0
  readonly #hasModes: boolean

  constructor(hasModes: boolean) {
    this.#hasModes = hasModes
  }

  add(path: string, watcher: Watcher, mode: WatchMode): void {
    const modes = entryOf(entryOf(this.#byPath, path, newMap<Watcher, Modes>), watcher, newModes)
    if (!this.#hasModes) this.#clear(modes)
    if (mode === 'recursive' && !modes.has(mode)) this.#recursiveCount++
    modes.add(mode)
    entryOf(this.#pathsOf, watcher, () => new Set<string>()).add(path)
  }

  has(path: string, watcher: Watcher | null, mode: WatchMode | null): boolean {
    if (watcher === null) return this.#byPath.has(path)
    const modes = this.#byPath.get(path)?.get(watcher)
    return modes !== undefined && (mode === null || modes.has(mode))
  }

  /** Null removes all modes. */
  remove(path: string, watcher: Watcher, mode: WatchMode | null): boolean {
    const modes = this.#byPath.get(path)?.get(watcher)
    if (modes === undefined) return false
    const doomed = [...modes].filter((candidate) => mode === null || candidate === mode)
    for (const each of doomed) {
      modes.delete(each)
      if (each === 'recursive') this.#recursiveCount--
    }
    if (modes.size === 0) this.#drop(path, watcher)
    return doomed.length > 0
  }

  forget(watcher: Watcher): void {
    for (const path of this.#pathsOf.get(watcher) ?? []) this.remove(path, watcher, null)
  }

  /** Tells everybody who watches, except `told`; uses up one-shot watches. Returns who watched. */
  fire(event: WatchEvent, told: ReadonlySet<Watcher>): ReadonlySet<Watcher> {
    const watchers = this.#watchersOf(event)
    for (const watcher of watchers) {
      this.remove(event.path, watcher, 'oneShot')
      if (!told.has(watcher)) watcher.notify(event)
    }
    return watchers
  }

  get entries(): WatchEntry[] {
    return [...this.#byPath].flatMap(([path, watchers]) =>
      [...watchers].flatMap(([watcher, modes]) =>
        [...modes].map((mode) => ({ path, watcher, mode })),
      ),
    )
  }

  #watchersOf({ type, path }: WatchEvent): ReadonlySet<Watcher> {
    const modesOf = this.#byPath.get(path) ?? newMap<Watcher, Modes>()
    const watchers = new Set(modesOf.keys())
    if (this.#recursiveCount === 0) return watchers
    if (type === EventType.NodeChildrenChanged) {
      for (const [watcher, modes] of modesOf) {
        if (modes.size === 1 && modes.has('recursive')) watchers.delete(watcher)
      }
      return watchers
    }
    for (let at = path; at !== '/';) {
      at = parentPath(at)
      for (const [watcher, modes] of this.#byPath.get(at) ?? []) {
        if (modes.has('recursive')) watchers.add(watcher)
      }
    }
    return watchers
  }

  #clear(modes: Modes): void {
    if (modes.has('recursive')) this.#recursiveCount--
    modes.clear()
  }

  #drop(path: string, watcher: Watcher): void {
    const watchers = this.#byPath.get(path)
    watchers?.delete(watcher)
    if (watchers?.size === 0) this.#byPath.delete(path)
    const paths = this.#pathsOf.get(watcher)
    paths?.delete(path)
    if (paths?.size === 0) this.#pathsOf.delete(watcher)
  }
}

const newMap = <K, V>(): Map<K, V> => new Map<K, V>()
const newModes = (): Modes => new Set<WatchMode>()

/** The value at `key`, made if there is none. */
function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key)
  if (present !== undefined) return present
  const made = make()
  map.set(key, made)
  return made
}
