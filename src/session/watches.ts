/**
 * Which watches are set, by the server's paths, and who wants to hear of what.
 *
 * One-shot watches stand in three tables as in Java's client: `data` on existing znodes, `exist` on
 * missing ones, `child` on lists of children. Persistent watches stand in two. Servers keep watches
 * per connection, so all tables are told to each new connection.
 */
import { AddWatchMode, EventType } from '../protocol/constants.ts'
import { parentPath } from '../protocol/path.ts'
import { type SetWatches2, type WatcherEvent } from '../protocol/records.ts'

/** What happened to a znode, or to the watch on it. */
export type WatchEventType =
  | 'NodeCreated'
  | 'NodeDeleted'
  | 'NodeDataChanged'
  | 'NodeChildrenChanged'
  /** Persistent watches: events may have been missed. Whatever is derived must be read again. */
  | 'resync'
  /** The watch was taken back with `removeWatches`. */
  | 'removed'
  /** Persistent watches: the server that serves now does not know them, and it has ended. */
  | 'unimplemented'
  /** Watch iterators: the consumer was too slow, and events were dropped. As after a `resync`. */
  | 'overflow'
  /** One-shot watches: the session they were set in has ended; they will not fire. */
  | 'session-expired'
  /** One-shot watches: the client was closed, or its credentials were rejected. */
  | 'closed'

/** What a watch tells. */
export interface WatchEvent {
  readonly type: WatchEventType
  /** Of the znode the event speaks of; for `resync` the path that is watched. */
  readonly path: string
  /** The change that caused it, where the server says so: not before 3.9. */
  readonly zxid: bigint | null
}

/** Is called in a microtask of its own, never from within the reading of a frame. */
export type Watcher = (event: WatchEvent) => void

/** One watcher is kept bare: most paths have one, and a list costs more than the entry. */
type Watchers = Watcher | Watcher[]
type Table = Map<string, Watchers>

/** The ways to watch a path that outlive an event. */
export type Mode = 'persistent' | 'recursive'

export type TableName = 'data' | 'exist' | 'child' | Mode

const eventTypes: ReadonlyMap<number, WatchEventType> = new Map<number, WatchEventType>([
  [EventType.NodeCreated, 'NodeCreated'],
  [EventType.NodeDeleted, 'NodeDeleted'],
  [EventType.NodeDataChanged, 'NodeDataChanged'],
  [EventType.NodeChildrenChanged, 'NodeChildrenChanged'],
])

/** Which one-shot tables an event uses up. */
const oneShotTables: Partial<Record<WatchEventType, readonly ('data' | 'exist' | 'child')[]>> = {
  NodeCreated: ['data', 'exist'],
  NodeDataChanged: ['data', 'exist'],
  NodeChildrenChanged: ['child'],
  NodeDeleted: ['data', 'exist', 'child'],
}

/** Characters of paths in one SetWatches, as in Java's client: far below every server's limit. */
const chunkLengthMax = 128 * 1024

export class Watches {
  readonly #tables: Record<TableName, Table> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  }
  readonly #deliver: (watcher: Watcher, event: WatchEvent) => void
  /** How often somebody was told of something. */
  #told = 0

  constructor(deliver: (watcher: Watcher, event: WatchEvent) => void) {
    this.#deliver = deliver
  }

  /** Number of paths with a watch, over all tables. */
  get size(): number {
    return Object.values(this.#tables).reduce((sum, table) => sum + table.size, 0)
  }

  /** Number of paths with a watch, of each kind. */
  get counts(): Record<TableName, number> {
    const { data, exist, child, persistent, recursive } = this.#tables
    return {
      data: data.size,
      exist: exist.size,
      child: child.size,
      persistent: persistent.size,
      recursive: recursive.size,
    }
  }

  /** Whether anyone watches this path, in whichever way. */
  isWatched(path: string): boolean {
    return Object.values(this.#tables).some((table) => table.has(path))
  }

  add(name: TableName, path: string, watcher: Watcher): void {
    const table = this.#tables[name]
    const present = table.get(path)
    if (present === undefined) table.set(path, watcher)
    else if (typeof present === 'function') table.set(path, [present, watcher])
    else present.push(watcher)
  }

  /** Whether any of these tables has a watcher of this path. */
  has(names: readonly TableName[], path: string): boolean {
    return names.some((name) => this.#tables[name].has(path))
  }

  /** The paths that are watched in one way. */
  paths(name: TableName): Iterable<string> {
    return this.#tables[name].keys()
  }

  /** Takes out the watchers that match. What the server keeps is not this table's business. */
  remove(name: TableName, path: string, matches: (watcher: Watcher) => boolean): Watcher[] {
    const table = this.#tables[name]
    const present = listOf(table.get(path))
    const removed = present.filter(matches)
    if (removed.length === 0) return removed
    const left = present.filter((watcher) => !removed.includes(watcher))
    if (left.length === 0) table.delete(path)
    else table.set(path, left.length === 1 ? left[0]! : left)
    return [...removed]
  }

  /**
   * Tells everyone whom a notification concerns. Unknown event types, and what servers say of the
   * session, concern nobody.
   *
   * @returns whether it concerned anyone.
   */
  notify({ type, path }: WatcherEvent, zxid: bigint | null): boolean {
    const eventType = eventTypes.get(type)
    if (eventType === undefined) return false
    const event: WatchEvent = { type: eventType, path, zxid }
    const toldBefore = this.#told
    for (const name of oneShotTables[eventType]!) this.#fireOnce(this.#tables[name], event)
    this.#fire(this.#tables.persistent.get(path), event)
    if (eventType !== 'NodeChildrenChanged') this.#fireRecursive(event)
    return this.#told > toldBefore
  }

  /** What a new connection must be told, in chunks. */
  registrations(relativeZxid: bigint, frameBytesMax: number): SetWatches2[] {
    // A short path takes five bytes a character, with its length in front; a long one three at most.
    const lengthMax = Math.min(chunkLengthMax, frameBytesMax / 8)
    const chunks: SetWatches2[] = []
    let chunk = emptyRegistration(relativeZxid)
    let length = 0
    for (const [name, list] of Object.entries(vectorOfTable) as [TableName, VectorName][]) {
      for (const path of this.#tables[name].keys()) {
        if (length > 0 && length + path.length > lengthMax) {
          chunks.push(chunk)
          chunk = emptyRegistration(relativeZxid)
          length = 0
        }
        chunk[list].push(path)
        length += path.length
      }
    }
    if (length > 0) chunks.push(chunk)
    return chunks
  }

  /** The one-shot watches of one path, to be set relative to what was read there. */
  registrationOf(path: string, relativeZxid: bigint): SetWatches2 {
    const registration = emptyRegistration(relativeZxid)
    for (const name of oneShotNames) {
      if (this.#tables[name].has(path)) registration[vectorOfTable[name]].push(path)
    }
    return registration
  }

  /** The owners of a persistent watch may have missed something. */
  resync(name: Mode, path: string): void {
    this.#fire(this.#tables[name].get(path), { type: 'resync', path, zxid: null })
  }

  /** Persistent watches of a path end, because a server does not know them. */
  endPersistent(name: Mode, path: string): void {
    for (const watcher of this.remove(name, path, () => true)) {
      this.#deliver(watcher, { type: 'unimplemented', path, zxid: null })
    }
  }

  /** Tells watchers that were taken out that they will hear nothing more. */
  tellRemoved(watchers: readonly Watcher[], path: string): void {
    for (const watcher of watchers) this.#deliver(watcher, { type: 'removed', path, zxid: null })
  }

  /**
   * Tells one-shot watchers that their watches will never fire: all of them, or those that `concerns`
   * picks. Persistent watches stay.
   *
   * @returns where they stood.
   */
  endOneShots(
    type: 'session-expired' | 'closed',
    concerns: (watcher: Watcher) => boolean = () => true,
  ): { readonly table: TableName; readonly path: string }[] {
    const ended: { readonly table: TableName; readonly path: string }[] = []
    for (const table of oneShotNames) {
      for (const path of [...this.#tables[table].keys()]) {
        const watchers = this.remove(table, path, concerns)
        for (const watcher of watchers) this.#deliver(watcher, { type, path, zxid: null })
        if (watchers.length > 0) ended.push({ table, path })
      }
    }
    return ended
  }

  /** Takes over the persistent watches of an earlier session. */
  inherit(earlier: Watches): void {
    for (const name of ['persistent', 'recursive'] as const) {
      for (const [path, watchers] of earlier.#tables[name]) {
        for (const watcher of listOf(watchers)) this.add(name, path, watcher)
      }
    }
  }

  #fireOnce(table: Table, event: WatchEvent): void {
    const watchers = table.get(event.path)
    if (watchers === undefined) return
    table.delete(event.path)
    this.#fire(watchers, event)
  }

  #fireRecursive(event: WatchEvent): void {
    if (this.#tables.recursive.size === 0) return
    let path = event.path
    this.#fire(this.#tables.recursive.get(path), event)
    while (path !== '/') {
      path = parentPath(path)
      this.#fire(this.#tables.recursive.get(path), event)
    }
  }

  #fire(watchers: Watchers | undefined, event: WatchEvent): void {
    if (watchers !== undefined) this.#told++
    if (typeof watchers === 'function') this.#deliver(watchers, event)
    else if (watchers !== undefined) for (const watcher of watchers) this.#deliver(watcher, event)
  }
}

/** The table in which a persistent watch of this mode stands. */
export function tableOfMode(mode: number): Mode {
  return mode === AddWatchMode.persistent ? 'persistent' : 'recursive'
}

export const oneShotNames = ['data', 'exist', 'child'] as const satisfies readonly TableName[]

const vectorOfTable = {
  data: 'dataWatches',
  exist: 'existWatches',
  child: 'childWatches',
  persistent: 'persistentWatches',
  recursive: 'persistentRecursiveWatches',
} as const satisfies Record<TableName, keyof SetWatches2>

type VectorName = (typeof vectorOfTable)[TableName]

function emptyRegistration(relativeZxid: bigint) {
  return {
    relativeZxid,
    dataWatches: [] as string[],
    existWatches: [] as string[],
    childWatches: [] as string[],
    persistentWatches: [] as string[],
    persistentRecursiveWatches: [] as string[],
  }
}

function listOf(watchers: Watchers | undefined): readonly Watcher[] {
  if (watchers === undefined) return []
  return typeof watchers === 'function' ? [watchers] : watchers
}
